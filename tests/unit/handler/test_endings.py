"""How an attempt ends if something changes between its steps; most of these rules were found missing by mutants."""

from pathlib import Path
from typing import Any

import pytest

import plexus
from handler.clock import Clock
from handler.crash_points import Step
from handler.message import Message
from handler.records import derive_result_id
from handler.suspects import find_suspects
from plexus import exceptions
from tests.memory.wire import Refused, no_fault
from tests.memory.world import Context, World, scoring

LAST = 2  # receives before the last one


def raising(error: Exception) -> Any:
    """Return an engine that raises the error."""

    def score(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        raise error

    return scoring(score)


def taken_over_before(world: World, update: str) -> None:
    """Let another worker have the lease of job-1 when the update with that expression begins."""

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and update in request.get("UpdateExpression", ""):
            world.dynamodb.tables["ScoringJob"]["job-1"]["leaseOwner"] = {"S": "another"}

    world.wire.fault = fault


@pytest.mark.parametrize("error", [exceptions.ScoringFailed("down"), exceptions.NotApplicable("not this one")])
def test_a_job_that_was_taken_over_keeps_its_message(world: World, error: Exception) -> None:
    """If the job has another owner when it is to be FAILED, its message is neither deleted nor dead-lettered."""
    world.send_jobs(world.job())
    world.requests.messages[0].receives = LAST
    taken_over_before(world, "completedAt")
    assert world.batch(world.runtime(score=raising(error))) == []
    assert world.reasons() == []
    assert len(world.sqs.bodies("requests")) == 1  # a fresh copy
    assert world.status("job-1") == "IN_PROGRESS"


def test_a_killer_that_was_taken_over_keeps_its_message(world: World) -> None:
    """The same holds for a job that has ended its process too often."""
    world.send_jobs(world.job(status="IN_PROGRESS", leaseUntil=0, unfinishedClaims=3))
    taken_over_before(world, "completedAt")
    assert len(world.batch(world.runtime())) == 1
    assert world.reasons() == []
    assert world.status("job-1") == "IN_PROGRESS"


def test_a_job_is_failed_before_its_message_is_dead_lettered(world: World) -> None:
    """A crash between the two leaves a FAILED job, whose message comes again; never a dead letter of a PENDING job."""
    steps: list[Step] = []
    world.send_jobs(world.job())
    world.requests.messages[0].receives = LAST
    runtime = world.runtime(lambda step, _subject: steps.append(step), raising(exceptions.ScoringFailed("down")))
    assert world.batch(runtime) == []
    assert steps[-2:] == [Step.FAIL, Step.DEAD_LETTER]
    assert steps.count(Step.DEAD_LETTER) == 1


def test_a_lost_answer_of_a_commit_is_no_failure(tmp_path: Path) -> None:
    """If the answer to the commit is lost, its repetition finds the job COMPLETED, and the response is sent at once."""
    world = World(tmp_path, attempts=2)
    world.send_jobs(world.job())

    def lose(operation: str, phase: str, request: dict[str, Any]) -> None:
        if (operation, phase) == ("TransactWriteItems", "after"):
            world.wire.fault = no_fault
            raise Refused("InternalServerError", 500)

    world.wire.fault = lose
    assert world.batch(world.runtime()) == []
    assert world.sent_results() == [derive_result_id("job-1")]


def test_marks_that_are_left_unprocessed_are_repeated(world: World) -> None:
    """Outbox entries that BatchWriteItem left unprocessed are deleted by the next call."""

    def partly(operation: str, phase: str, request: dict[str, Any]) -> None:
        if (operation, phase) == ("BatchWriteItem", "before") and "BatchWriteItem" not in world.wire.made[:-1]:
            world.dynamodb.unprocessed = 1

    world.wire.fault = partly
    world.send_jobs(world.job(1), world.job(2))
    assert world.batch(world.runtime()) == []
    assert world.dynamodb.ids("Outbox") == set()


@pytest.mark.parametrize("operation", ["BatchWriteItem", "BatchGetItem"])
def test_a_batch_that_is_never_processed_is_called_four_times(world: World, operation: str) -> None:
    """A batch of reads or of marks whose rest DynamoDB never processes is given up after four calls."""

    def partly(called: str, phase: str, request: dict[str, Any]) -> None:
        if (called, phase) == (operation, "before"):
            world.dynamodb.unprocessed = 1

    world.send_jobs(world.job())
    world.wire.fault = partly
    world.batch(world.runtime())
    assert world.wire.made.count(operation) == 4
    assert world.status("job-1") == ("COMPLETED" if operation == "BatchWriteItem" else "PENDING")


@pytest.mark.parametrize(("receives", "kept"), [(0, 1), (LAST, 0)])
def test_a_refused_response_keeps_the_message(world: World, receives: int, kept: int) -> None:
    """A job whose response SQS refused stays COMPLETED: its message comes again, and ends as a dead letter."""
    world.send_jobs(world.job())
    world.requests.messages[0].receives = receives
    world.sqs.refused = {0}
    assert len(world.batch(world.runtime())) == kept
    assert world.status("job-1") == "COMPLETED"
    assert world.dynamodb.ids("Outbox") == {"job-1"}
    assert world.sqs.bodies("requests") == ['{"scoring_job_id": "job-1"}'] * kept
    assert world.reasons() == ["Unavailable: send the response: SQS refused it"] * (1 - kept)


def test_an_outcome_that_cannot_be_recorded_fails_no_other(world: World) -> None:
    """If an error's outcome cannot be recorded either, its message is delivered again, and the others are done."""

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and operation in ("UpdateItem", "SendMessage") and "job-1" in str(request):
            raise Refused("AccessDeniedException")

    world.wire.fault = fault
    world.send_jobs(world.job(1), world.job(2))
    assert len(world.batch(world.runtime())) == 1
    assert (world.status("job-1"), world.status("job-2")) == ("PENDING", "COMPLETED")


def test_an_unexpected_error_of_an_outcome_fails_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error leaves the message on the queue, and does not fail the batch."""
    runtime = world.runtime()

    def broken(message: object, reason: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(runtime.queues, "send_to_dead_letters", broken)
    world.send("poison")
    world.send_jobs(world.job())
    assert len(world.batch(runtime)) == 1
    assert world.status("job-1") == "COMPLETED"


@pytest.mark.parametrize("left", [0.3, 9.0])
def test_a_score_after_its_deadline_is_not_committed(world: World, left: float) -> None:
    """A score that ends in the reserve is a failure; so shortly before the end, nothing more is written."""
    now = 0.0

    def late(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        nonlocal now
        now = 300.0 - left
        return plexus.Result("Yes")

    world.send_jobs(world.job())
    clock = Clock(wall=lambda: world.time, monotonic=lambda: now)
    runtime = world.runtime(score=scoring(late), clock=clock, reserve=20.0)
    assert len(world.batch(runtime, context=Context(remaining=300.0))) == 1
    assert world.status("job-1") == ("IN_PROGRESS" if left < 0.5 else "PENDING")
    assert world.dynamodb.ids("ScoreResult") == set()


def test_an_error_of_a_library_is_its_class_only(world: World) -> None:
    """The message of an unexpected error is neither stored nor logged, also where it quotes nothing of the text."""
    world.send_jobs(world.job())
    world.batch(world.runtime(score=raising(ValueError("secrets of another customer"))))
    assert world.dynamodb.fields("ScoringJob", "job-1")["errorMessage"] == "ValueError"
    assert "another customer" not in world.output.getvalue()


def test_a_batch_of_more_than_ten_is_answered_whole(world: World) -> None:
    """An event source with a batching window sends more records than one call of SQS takes."""
    world.send_jobs(*(world.job(number) for number in range(25)))
    runtime = world.runtime()
    runtime.worker.linger = 120.0
    assert world.batch(runtime, 25) == []
    assert sorted(world.sent_results()) == sorted(derive_result_id(f"job-{number}") for number in range(25))
    assert world.dynamodb.ids("Outbox") == set()


def test_a_copy_waits_for_the_lease(world: World) -> None:
    """The fresh copy of a leased job's message is hidden until the lease may be over."""
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=world.time + 40))
    world.requests.messages[0].receives = LAST
    world.batch(world.runtime())
    world.skip(69)
    assert world.sqs.receive(world.requests, 1) == []
    world.skip(5)
    assert len(world.sqs.receive(world.requests, 1)) == 1


def test_the_most_harmless_suspects_come_first(world: World) -> None:
    """In a redelivered batch, jobs with fewer claims without an outcome come first; others are not suspects."""
    counts = {1: 2, 2: 0, 3: 1, 4: 3}
    for number, count in counts.items():
        world.job(number, **({"unfinishedClaims": count} if count else {}))
    bodies = {number: f'{{"scoring_job_id": "job-{number}"}}' for number in counts}
    messages = [Message(str(n), body, "handle", "queue", receive_count=2) for n, body in bodies.items()]
    worker = world.runtime().worker
    suspects, unread = find_suspects(worker.store, messages, worker.calls)
    assert ([message.message_id for message in suspects], unread) == (["3", "1", "4"], {})


@pytest.mark.parametrize(
    ("status", "error"), [("COMPLETED", None), ("FAILED", exceptions.NotApplicable("not this one"))]
)
@pytest.mark.parametrize("days", [0, 90])
def test_an_ended_job_and_its_result_expire_after_the_period(
    world: World, status: str, error: Exception | None, days: int
) -> None:
    """With a period, job and result get `expiresAt`, in Unix seconds; without one they are kept."""
    world.send_jobs(world.job(expiresAt=1))  # as if it had failed before, and was reset by hand
    world.batch(world.runtime(expire_after_days=days, **({"score": raising(error)} if error else {})))
    job = world.dynamodb.fields("ScoringJob", "job-1")
    records = [job] + ([] if error else [world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))])
    assert job["status"] == status
    assert [record.get("expiresAt") for record in records] == [world.time + days * 86400 if days else None] * len(
        records
    )


def test_a_job_that_is_retried_does_not_expire(world: World) -> None:
    """A claim removes the `expiresAt` of a failure, and an attempt that is to be repeated sets none."""
    world.send_jobs(world.job(expiresAt=1))
    world.batch(world.runtime(expire_after_days=90, score=raising(exceptions.ScoringFailed("down"))))
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert (job["status"], job.get("expiresAt")) == ("PENDING", None)
