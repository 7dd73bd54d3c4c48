"""Jobs share their reads, but not a fate: a record that cannot be read costs no other job its attempt."""

import threading
from pathlib import Path
from typing import Any

import pytest

import plexus
from handler.clock import Clock
from handler.scorecard_cache import ScorecardCache
from plexus.scorecard import Scorecard
from tests.memory.wire import Refused
from tests.memory.world import CARD, World

JOBS = range(1, 6)
BAD = "3"
INNOCENT = [f"job-{number}" for number in JOBS if str(number) != BAD]
LIMIT_S = 120


def refuse(world: World, operation: str, key: str) -> None:
    """Let each call of the operation fail that names the key."""

    def before(name: str, phase: str, request: dict[str, Any]) -> None:
        if (name, phase) == (operation, "before") and key in str(request):
            raise Refused("ProvisionedThroughputExceededException")

    world.wire.fault = before


@pytest.mark.parametrize(
    ("operation", "key", "receives"), [("BatchGetItem", f"item-{BAD}", 0), ("GetItem", f"job-{BAD}", 1)]
)
def test_a_job_that_cannot_be_read_fails_alone(world: World, operation: str, key: str, receives: int) -> None:
    """If the records of one of five jobs are throttled, the other four are COMPLETED in the same invocation."""
    refuse(world, operation, key)
    world.send_jobs(*map(world.job, JOBS))
    for message in world.requests.messages:
        message.receives = receives
    (kept,) = world.batch(world.runtime())
    assert [message.body for message in world.requests.messages if message.id == kept] == [
        f'{{"scoring_job_id": "job-{BAD}"}}'
    ]
    assert {world.status(job) for job in INNOCENT} == {"COMPLETED"}
    assert world.status(f"job-{BAD}") == "PENDING"


def test_without_time_a_failed_read_is_not_repeated(world: World) -> None:
    """A second read would take the time that is kept to record that the first one failed."""
    time = [1000.0]

    def before(name: str, phase: str, request: dict[str, Any]) -> None:
        if (name, phase) == ("BatchGetItem", "before"):
            time[0] += 295.0  # of 300, of which 10 are kept
            raise Refused("ProvisionedThroughputExceededException")

    world.wire.fault = before
    world.send_jobs(*map(world.job, JOBS))
    clock = Clock(wall=lambda: world.time, monotonic=lambda: time[0])
    assert len(world.batch(world.runtime(clock=clock))) == len(JOBS)
    assert time == [1295.0]
    assert {world.status(f"job-{number}") for number in JOBS} == {"PENDING"}


def test_a_scorecard_that_loads_slowly_delays_no_other(tmp_path: Path) -> None:
    """While one version is read or compiled, others are returned, whether they were compiled before or not."""
    reading, ends = threading.Event(), threading.Event()

    def read_slowly() -> str:
        reading.set()
        assert ends.wait(LIMIT_S)
        return CARD

    cards = ScorecardCache(tmp_path, lambda text, name: plexus.load(text, name=name))
    cards.get("version-1", lambda: CARD)
    results: list[Scorecard] = []
    slow = [threading.Thread(target=lambda: results.append(cards.get("slow", read_slowly))) for _ in range(2)]
    for thread in slow:
        thread.start()
    assert reading.wait(LIMIT_S)
    others = [cards.get(version, lambda: CARD) for version in ("version-1", "version-2")]
    assert results == []
    ends.set()
    for thread in slow:
        thread.join(LIMIT_S)
    assert results[0] is results[1]
    assert [card.name for card in others] == ["Reviews", "Reviews"]
