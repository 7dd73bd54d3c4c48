"""Jobs of other accounts, and jobs of none: a worker never writes their records, whatever their state."""

import copy
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handler.app import Runtime
from tests.memory.wire import Refused, no_fault
from tests.memory.world import START, World

OWNERS: dict[str, Any] = {
    "another account": {"S": "account-2"},
    "no account": None,
    "an empty account": {"S": ""},
    "a null account": {"NULL": True},
    "a number": {"N": "1"},
}
STATES: dict[str, dict[str, Any]] = {
    "pending": {"status": {"S": "PENDING"}},
    "leased": {"status": {"S": "IN_PROGRESS"}, "leaseOwner": {"S": "theirs"}, "leaseUntil": {"N": str(START + 60)}},
    "expired": {"status": {"S": "IN_PROGRESS"}, "leaseOwner": {"S": "theirs"}, "leaseUntil": {"N": str(START - 9e5)}},
    "without a lease": {"status": {"S": "IN_PROGRESS"}},
    "completed": {"status": {"S": "COMPLETED"}},
    "failed": {"status": {"S": "FAILED"}, "errorMessage": {"S": "theirs"}},
    "unknown": {"status": {"S": "QUEUED"}},
}
WAYS = ("batch", "last receive", "poll", "fan-out")


def put_foreign(world: World, owner: dict[str, Any] | None, state: dict[str, Any]) -> None:
    """Create job-1 with that owner and state, and a result that waits in the outbox if it is completed."""
    world.job()
    item = world.dynamodb.tables["ScoringJob"]["job-1"]
    item |= state
    item.pop("accountId")
    if owner:
        item["accountId"] = owner
    if state["status"] == {"S": "COMPLETED"}:
        world.dynamodb.put("Outbox", id="job-1", accountId="account-2", scoreResultId="theirs", created=0)


def deliver(world: World, runtime: Runtime, way: str) -> None:
    """Deliver the next message on one of the ways in; the worker disposes of it."""
    if way == "last receive":
        world.requests.messages[0].receives = 2
    if way in ("batch", "last receive"):
        assert world.batch(runtime) == []
        return
    event = {}
    if way == "fan-out":
        (message,) = world.sqs.receive(world.requests, 1)
        handle, url = message.handles[-1], world.requests.url
        event = {"source": "fanout", "message_body": message.body, "receipt_handle": handle, "queue_url": url}
    assert world.invoke(runtime, event)[0] == 500


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("owner", OWNERS.values(), ids=OWNERS)
def test_a_foreign_job_is_never_written(
    world: World, owner: dict[str, Any] | None, state: dict[str, Any], way: str
) -> None:
    """No table changes; the message becomes a dead letter with its reason, and there is neither result nor response."""
    put_foreign(world, owner, state)
    world.send_jobs("job-1")
    before = copy.deepcopy(world.dynamodb.tables)
    deliver(world, world.runtime(), way)
    assert world.dynamodb.tables == before
    assert world.sqs.bodies("dead") == [json.dumps({"scoring_job_id": "job-1"})]
    (reason,) = world.reasons()
    assert reason.startswith("OtherAccount: scoring job job-1 ")
    assert world.sqs.bodies("requests") == world.sent_results() == []


def test_a_foreign_job_takes_two_calls(world: World) -> None:
    """The account is a condition of the claim: a warm environment claims and dead-letters, and reads nothing first."""
    runtime = world.runtime()
    for number in (1, 2):
        world.send_jobs(world.job(number, accountId="account-2"))
        world.wire.made.clear()
        world.batch(runtime)
    created = [call for call in world.wire.made if call not in ("SendMessage", "DeleteMessageBatch")]
    assert created == ["UpdateItem"]
    assert len(world.reasons()) == 2


class WaitedFor:
    """A lock that counts those who asked for it."""

    def __init__(self) -> None:
        self.lock, self.asked = threading.Lock(), Counter[int]()

    def __enter__(self) -> None:
        self.asked[threading.get_ident()] += 1
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_a_lookup_that_fails_is_not_repeated_by_those_that_wait_for_it(world: World) -> None:
    """Ten jobs that need the account at the same time make one lookup, and share its error; the next one asks again."""
    account = world.runtime().account
    account._lock = waited = WaitedFor()  # type: ignore[assignment]  # to know when all others wait

    def fault(operation: str, phase: str, request: object) -> None:
        while operation == "Query" and len(waited.asked) < 10:
            time.sleep(0.001)
        raise Refused("InternalServerError", 500)

    world.wire.fault = fault
    with ThreadPoolExecutor(10) as threads:
        errors = [threads.submit(account.id).exception for _ in range(10)]
        assert {str(error()) for error in errors} == {"query Account: InternalServerError"}
    assert world.wire.made == ["Query"]
    world.wire.fault = no_fault
    assert account.id() == "account-1"


def test_its_own_worker_scores_a_job_that_another_one_received(world: World) -> None:
    """A job whose message reached the wrong worker is completed by its own worker after a redrive."""
    world.send_jobs(world.job())
    world.batch(world.runtime(account_key="other"))
    (letter,) = world.sqs.bodies("dead")
    world.send(letter)
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


def test_a_sweep_leaves_the_responses_of_other_accounts(world: World) -> None:
    """A sweep sends the responses of its own account's committed jobs to its own queue, and no others."""
    for number, owner in ((1, "account-1"), (2, "account-2")):
        world.dynamodb.put("Outbox", id=f"job-{number}", accountId=owner, scoreResultId=f"result-{number}", created=0)
    assert world.invoke(world.runtime(), {"source": "sweep"})[1]["sent"] == 1
    assert world.sent_results() == ["result-1"]
    assert world.dynamodb.ids("Outbox") == {"job-2"}


def test_an_outbox_entry_names_its_account(world: World) -> None:
    """An entry that a crash leaves names the account of its job, so that only that account's worker sends it."""

    class Crash(BaseException):
        pass

    def fault(operation: str, phase: str, request: object) -> None:
        if (operation, phase) == ("SendMessageBatch", "before"):
            raise Crash

    world.send_jobs(world.job())
    world.wire.fault = fault
    with pytest.raises(Crash):
        world.batch(world.runtime())
    assert world.dynamodb.fields("Outbox", "job-1")["accountId"] == "account-1"
