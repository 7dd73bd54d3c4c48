"""Each of the store's conditions by itself: who may write what, and when."""

from collections.abc import Callable

import pytest

from handler.records import Job, result_id
from handler.store import Claimed, Store
from tests.memory.wire import no_fault
from tests.memory.world import World

SKEW_S = 30.0


@pytest.fixture
def held(world: World) -> Store:
    """The store of a world whose job-1 is held by `another` until a minute from now."""
    world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=world.time + 60, attempts=1)
    return Store(world.clients().dynamodb, "")


WRITES: dict[str, Callable[[Store], bool]] = {
    "renew": lambda store: store.renew("job-1", "late", 2e9),
    "release": lambda store: store.release("job-1", "late", "reason"),
    "fail": lambda store: store.fail("job-1", "late", "reason", "now"),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_late_owner_changes_no_lease(world: World, held: Store, name: str) -> None:
    """Who no longer holds the job neither renews, releases nor fails it, and is told so."""
    before = world.dynamodb.fields("ScoringJob", "job-1")
    assert WRITES[name](held) is False
    assert world.dynamodb.fields("ScoringJob", "job-1") == before


@pytest.mark.parametrize("name", WRITES)
def test_an_owner_changes_nothing_after_the_end(world: World, held: Store, name: str) -> None:
    """A job that is COMPLETED stays so, though its record still named the lease's owner."""
    world.job(2, status="COMPLETED")
    world.dynamodb.put("ScoringJob", id="job-1", status="COMPLETED", leaseOwner="late")
    assert WRITES[name](held) is False
    assert world.dynamodb.fields("ScoringJob", "job-1")["status"] == "COMPLETED"


@pytest.mark.parametrize(("past", "state"), [(-1.0, "leased"), (SKEW_S - 1, "leased"), (SKEW_S + 1, "won")])
def test_a_lease_is_taken_over_after_the_clocks_difference_only(
    world: World, held: Store, past: float, state: str
) -> None:
    """A clock that is 30 s ahead does not take a job from one who holds it still."""
    now = world.time + 60 + past
    assert held.claim("job-1", "token", now, now + 60, SKEW_S)[0] is Claimed(state)


def test_a_result_is_never_replaced(world: World, held: Store) -> None:
    """A commit whose result exists is refused whole: the job and the outbox stay, and the next attempt adopts it."""
    world.dynamodb.put("ScoreResult", id=result_id("job-1"), value="No")
    job = Job.of(world.dynamodb.fields("ScoringJob", "job-1"))
    record = {"id": {"S": job.result_id}, "value": {"S": "Yes"}}
    with pytest.raises(Exception, match="the next attempt will adopt it"):
        held.commit(job, "another", record, "now", world.time)
    assert world.dynamodb.fields("ScoreResult", job.result_id)["value"] == "No"
    assert world.dynamodb.ids("Outbox") == set()


def test_a_duplicate_sends_the_response_that_a_crash_kept_back(world: World) -> None:
    """A COMPLETED job whose response may be lost gets the same response from the next delivery, without a sweep."""

    class Crash(BaseException):
        pass

    def fault(operation: str, phase: str, request: object) -> None:
        if (operation, phase) == ("SendMessageBatch", "before"):
            raise Crash

    world.send_jobs(world.job())
    world.wire.fault = fault
    with pytest.raises(Crash):
        world.batch(world.runtime())
    world.wire.fault = no_fault
    world.skip(1801)
    assert world.batch(world.runtime()) == []
    assert world.sent_results() == [result_id("job-1")]
    assert world.dynamodb.ids("Outbox") == set()
