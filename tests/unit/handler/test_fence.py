"""Each condition of the store by itself: which worker may write which record, and when."""

from collections.abc import Callable
from typing import Any

import pytest

from handler.attribute_values import Attributes
from handler.commit import Commit
from handler.records import Job, derive_result_id
from handler.settings import LONGEST_LEASE
from handler.store import ClaimResult, Store
from handler.tables import SCORING_JOB
from tests.memory.wire import no_fault
from tests.memory.world import World

SKEW_S = 30.0


@pytest.fixture
def held(world: World) -> Store:
    """A store in which `another` has leased job-1 for a minute."""
    world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=world.time + 60, attempts=1)
    return Store(world.clients().dynamodb, "", wall=lambda: world.time)


WRITES: dict[str, Callable[[Store], bool]] = {
    "renew": lambda store: store.renew("job-1", "late", 2e9),
    "release": lambda store: store.release("job-1", "late", "reason", has_run=True),
    "give back": lambda store: store.release("job-1", "late", "reason", has_run=False),
    "fail": lambda store: store.fail("job-1", "late", "reason", "now"),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_late_owner_changes_no_lease(world: World, held: Store, name: str) -> None:
    """A worker that has lost its lease cannot renew, release or fail the job: each call returns False."""
    before = world.dynamodb.fields("ScoringJob", "job-1")
    assert WRITES[name](held) is False
    assert world.dynamodb.fields("ScoringJob", "job-1") == before


@pytest.mark.parametrize("name", WRITES)
def test_a_completed_job_stays_completed(world: World, held: Store, name: str) -> None:
    """A COMPLETED job stays COMPLETED, even if its record still names the owner of the lease."""
    world.job(2, status="COMPLETED")
    world.dynamodb.put("ScoringJob", id="job-1", status="COMPLETED", leaseOwner="late")
    assert WRITES[name](held) is False
    assert world.dynamodb.fields("ScoringJob", "job-1")["status"] == "COMPLETED"


@pytest.mark.parametrize(("past", "state"), [(-1.0, "leased"), (SKEW_S - 1, "leased"), (SKEW_S + 1, "won")])
def test_a_lease_is_not_taken_over_within_the_clock_skew(world: World, held: Store, past: float, state: str) -> None:
    """A worker whose clock is 30 s ahead cannot claim a job whose lease has not expired."""
    now = world.time + 60 + past
    assert held.claim("job-1", "account-1", "token", now, now + 60, SKEW_S)[0] is ClaimResult(state)


@pytest.mark.parametrize(
    "until", [{"S": "soon"}, {"S": ""}, {"S": "1799999000"}, {"NULL": True}, {"BOOL": True}, {"L": []}, {"SS": ["a"]}]
)
def test_a_lease_without_a_number_is_taken_over(world: World, until: Any) -> None:
    """A job IN_PROGRESS whose lease ends at no number is claimed and completed, never IN_PROGRESS for ever."""
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another"))
    world.dynamodb.tables["ScoringJob"]["job-1"]["leaseUntil"] = until
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


def test_a_job_in_progress_without_a_lease_is_claimed(world: World) -> None:
    """A job IN_PROGRESS whose record has no end of a lease, as an operator may leave it, is completed."""
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another"))
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


def test_a_lease_that_is_a_number_as_text_is_respected(world: World) -> None:
    """A lease whose end another writer stored as text is taken over once it has expired, and not before."""
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=str(world.time + 40)))
    assert len(world.batch(world.runtime())) == 1
    world.skip(40 + SKEW_S + 2)
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


@pytest.mark.parametrize("until", [1.8e12, 4e9, 1_800_000_000 + LONGEST_LEASE + SKEW_S + 1])
def test_a_lease_that_no_worker_writes_is_taken_over(world: World, until: float) -> None:
    """A job whose lease ends later than any can, for example in milliseconds, is completed, not returned for ever."""
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=until))
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


def test_the_longest_lease_of_a_fast_clock_is_respected(world: World) -> None:
    """A lease of 900 s by a worker whose clock is ahead by the clock skew is left to its owner."""
    until = world.time + LONGEST_LEASE + SKEW_S
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=until))
    assert len(world.batch(world.runtime())) == 1
    assert world.dynamodb.fields("ScoringJob", "job-1")["leaseOwner"] == "another"


def test_only_one_worker_takes_a_malformed_lease_over(world: World) -> None:
    """The later of two workers that read the same malformed lease finds the job leased."""
    world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil="soon")
    store, now = Store(world.clients().dynamodb, "", wall=lambda: world.time), world.time

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and ":odd" in request.get("ExpressionAttributeValues", {}):
            world.wire.fault = no_fault
            assert store.claim("job-1", "account-1", "early", now, now + 60, SKEW_S)[0] is ClaimResult.WON

    world.wire.fault = fault
    assert store.claim("job-1", "account-1", "late", now, now + 60, SKEW_S)[0] is ClaimResult.LEASED
    assert world.dynamodb.fields("ScoringJob", "job-1")["leaseOwner"] == "early"


def test_a_result_is_never_replaced(world: World, held: Store) -> None:
    """A commit is refused as a whole if the result exists: neither the job nor the outbox changes."""
    world.dynamodb.put("ScoreResult", id=derive_result_id("job-1"), value="No")
    job = Job.from_fields(world.dynamodb.fields("ScoringJob", "job-1"))
    record: Attributes = {"id": {"S": job.result_id}, "value": {"S": "Yes"}}
    with pytest.raises(Exception, match="the next attempt will adopt it"):
        held.commit([Commit(job, "another", record)], "now", world.time)
    assert world.dynamodb.fields("ScoreResult", job.result_id)["value"] == "No"
    assert world.dynamodb.ids("Outbox") == set()


def test_a_duplicate_sends_the_response_that_a_crash_left_unsent(world: World) -> None:
    """The next delivery of a COMPLETED job sends its unsent response, without a sweep."""

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
    assert world.sent_results() == [derive_result_id("job-1")]
    assert world.dynamodb.ids("Outbox") == set()


def test_a_renewed_lease_ends_at_its_millisecond(world: World) -> None:
    """The end of a lease is stored in Unix seconds with three decimals."""
    store = world.runtime().worker.store
    world.job()
    store.claim("job-1", "account-1", "token", world.time, world.time + 60, SKEW_S)
    assert store.renew("job-1", "token", world.time + 90.25)
    assert float(world.dynamodb.fields("ScoringJob", "job-1")["leaseUntil"]) == world.time + 90.25


def test_reads_that_decide_are_consistent(world: World) -> None:
    """Where other reads are stale, a job and an outbox entry that were just written are found."""
    store = world.runtime().worker.store
    world.dynamodb.is_stale = True
    world.job()
    world.dynamodb.put("Outbox", id="job-1", scoreResultId="result-1", created=world.time)
    assert store.read_job("job-1") is not None
    assert store.read_outbox_entry("job-1") is not None
    assert (SCORING_JOB, "job-1") in store.read([(SCORING_JOB, "job-1")])
