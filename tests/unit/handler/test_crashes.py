"""Kill the worker at each of its calls, before and after the call takes effect, and deliver the message again."""

from collections import Counter
from typing import Any

import pytest

import plexus
from handler.records import derive_result_id
from plexus.exceptions import ScoringFailed
from tests.memory.wire import no_fault
from tests.memory.world import World, scoring

MOST_CALLS = 12


class Crash(BaseException):
    """The end of the process."""


def crash_at(world: World, number: int, phase: str) -> None:
    """Make the process end at that call."""
    counts = Counter[str]()

    def fault(operation: str, at: str, request: dict[str, Any]) -> None:
        counts[at] += 1
        if at == phase and counts[at] == number:
            raise Crash

    world.wire.fault = fault


def work_with_crashes(world: World, direct: bool, score: Any = plexus.score) -> bool:
    """Invoke the worker once; returns whether it crashed."""
    try:
        runtime = world.runtime(score=score)
        _ = world.invoke(runtime) if direct else world.batch(runtime)
    except Crash:
        return True
    finally:
        world.wire.fault = no_fault
    return False


@pytest.mark.parametrize("direct", [False, True], ids=["batch", "poll"])
@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("number", range(1, MOST_CALLS))
def test_a_crash_at_any_call_does_no_harm(world: World, number: int, phase: str, direct: bool) -> None:
    """A job whose worker crashed at any step ends COMPLETED, with one result and one distinct response."""
    world.send_jobs(world.job())
    crash_at(world, number, phase)
    work_with_crashes(world, direct)
    for _ in range(3):
        world.skip(1801)
        work_with_crashes(world, direct=False)
    world.invoke(world.runtime(), {"source": "sweep"})
    assert world.dynamodb.ids("ScoreResult") == {derive_result_id("job-1")}
    assert set(world.sent_results()) == {derive_result_id("job-1")}
    assert world.status("job-1") == "COMPLETED"
    assert world.sqs.bodies("requests") == []
    assert world.dynamodb.ids("Outbox") == set()


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("number", range(1, MOST_CALLS))
def test_a_crash_while_failing_loses_no_message(world: World, number: int, phase: str) -> None:
    """If a worker crashes while it records a failure, the job is FAILED in the end, or its message is kept."""

    def fail(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        raise ScoringFailed("down", transient=True)

    world.send_jobs(world.job())
    world.requests.messages[0].receives = 2
    crash_at(world, number, phase)
    work_with_crashes(world, False, scoring(fail))
    world.skip(1801)
    work_with_crashes(world, False, scoring(fail))
    assert world.dynamodb.ids("ScoreResult") == set()
    assert world.sqs.bodies("dead")
    assert world.status("job-1") in ("FAILED", "IN_PROGRESS", "PENDING")
