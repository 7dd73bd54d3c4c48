"""A short soak test; `make soak` runs a long one."""

from tests.faults.soak import MEMORY_MB, soak
from tests.faults.stage import real_stage


def test_two_hundred_jobs_survive_everything_at_once() -> None:
    """Despite kills, duplicates, poison, failing calls and jobs that end their process, each job has one effect."""
    with real_stage("soak", MEMORY_MB) as stage:
        done = soak(stage, jobs=200, limit_s=3000, seed=20261125)
    assert done.broken == ()
    assert (done.jobs, done.distinct, done.poison) == (200, 200, 4)
    assert done.killed >= 1
    assert done.faults >= 1
