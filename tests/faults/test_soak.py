"""A short soak; `make soak` runs a long one."""

from tests.faults.soak import soak
from tests.faults.stage import Faulty


def test_two_hundred_jobs_survive_everything_at_once(stage: Faulty) -> None:
    """Under kills, duplicates, poison and failing calls each job has one effect, and each poison its reason."""
    done = soak(stage, jobs=200, limit_s=180, seed=20261125)
    assert done.broken == ()
    assert (done.jobs, done.distinct, done.poison) == (200, 200, 4)
    assert done.killed >= 1
    assert done.faults >= 1
