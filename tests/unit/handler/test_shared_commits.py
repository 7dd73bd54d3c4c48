"""Jobs that end together share a transaction, but not a fate."""

from typing import Any

import pytest

import plexus
from handler.app import Runtime
from handler.crash_points import Step
from handler.records import derive_result_id
from tests.memory.wire import Refused
from tests.memory.world import World, scoring

JOBS = range(1, 6)
BAD = "job-3"


def sharing(world: World, **more: Any) -> Runtime:
    """Return a worker whose jobs end together however slow the machine is."""
    runtime = world.runtime(**more)
    runtime.worker.linger = 120.0
    return runtime


def lease_is_lost(world: World, request: dict[str, Any]) -> None:
    """Another worker takes the bad job over while it is scored."""
    world.dynamodb.tables["ScoringJob"][BAD]["leaseOwner"] = {"S": "another"}


def result_exists(world: World, request: dict[str, Any]) -> None:
    """Another worker has put the bad job's result, and ended before it completed the job."""
    if derive_result_id(BAD) not in world.dynamodb.ids("ScoreResult"):
        world.dynamodb.put("ScoreResult", id=derive_result_id(BAD), value="No")


def is_refused(world: World, request: dict[str, Any]) -> None:
    """DynamoDB refuses every transaction with the bad job's record."""
    if BAD in str(request):
        raise Refused("ValidationException")


def is_throttled(world: World, request: dict[str, Any]) -> None:
    """The bad job's partition is hot."""
    if BAD in str(request):
        raise Refused("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}])


@pytest.mark.parametrize("fault", [lease_is_lost, result_exists, is_refused, is_throttled])
def test_a_job_that_cannot_be_committed_fails_alone(world: World, fault: Any) -> None:
    """If one of five jobs cannot be committed, the other four are COMPLETED and answered, in the same invocation."""

    def before_commit(operation: str, phase: str, request: dict[str, Any]) -> None:
        if (operation, phase) == ("TransactWriteItems", "before"):
            fault(world, request)

    world.wire.fault = before_commit
    world.send_jobs(*map(world.job, JOBS))
    (kept,) = world.batch(sharing(world))
    assert [message.body for message in world.requests.messages if message.id == kept] == [
        '{"scoring_job_id": "job-3"}'
    ]
    innocent = [f"job-{number}" for number in JOBS if f"job-{number}" != BAD]
    assert {world.status(job) for job in innocent} == {"COMPLETED"}
    assert sorted(world.sent_results()) == sorted(map(derive_result_id, innocent))
    assert world.status(BAD) in ("PENDING", "IN_PROGRESS")
    assert world.dynamodb.ids("Outbox") == set()


def test_a_lost_answer_of_a_shared_commit_is_no_failure(world: World) -> None:
    """If a transaction took effect and its answer is lost, each job is found COMPLETED, and answered once."""
    transactions: list[int] = []

    def lose(operation: str, phase: str, request: dict[str, Any]) -> None:
        if (operation, phase) == ("TransactWriteItems", "after"):
            transactions.append(len(request["TransactItems"]))
            raise Refused("InternalServerError", 500)

    world.wire.fault = lose
    world.send_jobs(*map(world.job, JOBS))
    assert world.batch(sharing(world)) == []
    assert transactions == [3 * len(JOBS)]
    assert sorted(world.sent_results()) == sorted(derive_result_id(f"job-{number}") for number in JOBS)
    assert world.dynamodb.ids("Outbox") == set()


def test_a_transaction_has_a_limit(world: World) -> None:
    """Twelve jobs take two transactions, of at most ten jobs each; each is named once at the step."""
    committed: list[list[str]] = []

    def observe(step: Step, subject: str) -> None:
        if step is Step.COMMIT:
            committed.append(subject.split(","))

    jobs = [world.job(number) for number in range(12)]
    world.send_jobs(*jobs)
    assert world.batch(sharing(world, observe=observe), 12) == []
    assert sorted(map(len, committed)) == [2, 10]
    assert sorted(job for group in committed for job in group) == sorted(jobs)


def test_a_failed_job_is_not_in_the_transaction(world: World) -> None:
    """A job that fails beside others costs them no second transaction."""

    def score(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        if item.text == "fail":
            raise plexus.exceptions.NotApplicable("not this one")
        return plexus.Result("Yes")

    world.send_jobs(world.job(1), world.job(2, text="fail"), world.job(3))
    assert world.batch(sharing(world, score=scoring(score))) == []
    assert world.wire.made.count("TransactWriteItems") == 1
    assert [world.status(f"job-{number}") for number in (1, 2, 3)] == ["COMPLETED", "FAILED", "COMPLETED"]
