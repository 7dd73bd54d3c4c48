"""When a canary's version is worse than the one before."""

import json

import pytest

from scripts.aws import health
from scripts.aws.logs import Event
from scripts.release.counts import Counts

OLD = Counts(calls=100, jobs=2, billed_ms=200.0, completed=200, cost=0.2)
WORSE = {
    "one failed invocation": (Counts(calls=50, failed=1, completed=99), "1 failed"),
    "twice the share of lost jobs": (Counts(calls=50, jobs=3, completed=97), "3 jobs without a result"),
    "twice the time": (Counts(calls=10, billed_ms=401.0), "401 ms billed per call, against 200 ms"),
    "twice the cost": (Counts(calls=10, completed=10, cost=0.0201), "0.002010 USD per job, against 0.001000 USD"),
}
NOT_WORSE = {
    "the same": OLD,
    "two lost jobs are too few": Counts(calls=2, jobs=2, completed=0),
    "the same share of lost jobs": Counts(calls=200, jobs=4, completed=400),
    "nine calls are too few": Counts(calls=9, billed_ms=900.0),
    "nine jobs are too few": Counts(calls=9, completed=9, cost=9.0),
    "twice the cost exactly": Counts(calls=10, completed=10, cost=0.02),
}


@pytest.mark.parametrize("name", WORSE)
def test_it_is_worse(name: str) -> None:
    """Each reason is reported, and the message has both figures."""
    new, text = WORSE[name]
    assert text in new.find_problem(OLD)


@pytest.mark.parametrize("name", NOT_WORSE)
def test_it_is_not_worse(name: str) -> None:
    """Few calls are no evidence, and equal shares are no difference."""
    assert NOT_WORSE[name].find_problem(OLD) == ""


def test_a_few_milliseconds_are_no_difference() -> None:
    """Twice the time of a quick score is the machine's noise; more than 100 ms are not."""
    quick = Counts(calls=20, billed_ms=3.0)
    assert Counts(calls=20, billed_ms=103.0).find_problem(quick) == ""
    assert "104 ms billed" in Counts(calls=20, billed_ms=104.0).find_problem(quick)


def test_a_cost_where_there_was_none_is_another_mix() -> None:
    """Jobs of scores without a model say nothing about the cost of jobs with one."""
    assert Counts(calls=20, completed=20, cost=1.0).find_problem(Counts(calls=20, completed=20)) == ""


def test_costs_and_jobs_are_read_from_the_workers_metrics() -> None:
    """Each version has the jobs and costs of its own log streams."""
    metrics: list[tuple[int, dict[str, float]]] = [
        (1, {"JobsCompleted": 9, "Cost": 0.5}),
        (2, {"JobsCompleted": 4, "Cost": 0.25}),
        (2, {"JobsDuplicate": 1}),
    ]
    events = [
        Event(str(number), number, f"2026/11/29/[{version}]aa", json.dumps({"_aws": {}, **line}))
        for number, (version, line) in enumerate(metrics)
    ]
    versions = health.group_by_version(events)
    assert {name: (entry.completed, entry.cost) for name, entry in versions.items()} == {
        "1": (9, 0.5),
        "2": (5, 0.25),
    }
    assert health.combine(versions, ["1", "2"]).cost == 0.75
