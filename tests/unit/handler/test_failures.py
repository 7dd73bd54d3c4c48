from pathlib import Path
from typing import Any

import pytest

import plexus
from handler.records import derive_result_id
from handler.scoring import Score
from plexus import exceptions
from tests.memory.wire import Refused, no_fault
from tests.memory.world import World, scoring

TEXT = "I want a refund for order 12345678, says Jane Roe of Elm Street."


def failing(error: Exception) -> Score:
    """Return an engine that raises the error."""

    def fail(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        raise error

    return scoring(fail)


@pytest.mark.parametrize(
    ("body", "reason"),
    [("nonsense", "not JSON"), ("{}", "no scoring_job_id"), ('{"scoring_job_id": "nobody"}', "no scoring job has")],
)
def test_poison_is_dead_lettered_at_its_first_receive(world: World, body: str, reason: str) -> None:
    """A body that can never succeed is dead-lettered at its first receive, unchanged, with the reason."""
    world.send(body)
    assert world.batch(world.runtime()) == []
    assert world.sqs.bodies("dead") == [body]
    assert reason in world.reasons()[0]
    assert world.sqs.bodies("requests") == []


def test_poison_of_maximum_size_is_dead_lettered_without_attribute(world: World) -> None:
    """A body of 256 KB leaves no room for the reason, and is dead-lettered without it."""
    world.send("x" * 262_144)
    assert world.batch(world.runtime()) == []
    assert len(world.sqs.bodies("dead")[0]) == 262_144


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_throttled_or_conflicting_transaction_is_retried(world: World, code: str) -> None:
    """A cancellation reason that stands for load is retried, and is not reported as a misconfiguration."""

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and operation == "TransactWriteItems":
            reasons = [{"Code": "None"}, {"Code": code}, {"Code": "None"}]
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)

    world.wire.fault = fault
    world.send_jobs(world.job())
    assert len(world.batch(world.runtime())) == 1
    (line,) = [line for line in world.lines() if line.get("message") == "no result"]
    assert (line["cause"], world.status("job-1")) == ("AWS throttled, failed or timed out", "PENDING")
    assert line["error"] == f"Unavailable: commit the result: {code}"


def test_a_cancelled_transaction_names_its_reasons(world: World) -> None:
    """A cancellation for another reason has DynamoDB's codes for the actions, each once, instead of the call's."""

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and operation == "TransactWriteItems":
            codes = ["ItemCollectionSizeLimitExceeded", "None", "ValidationError", "ValidationError"]
            raise Refused("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])

    world.wire.fault = fault
    world.send_jobs(world.job())
    assert len(world.batch(world.runtime())) == 1
    assert world.dynamodb.fields("ScoringJob", "job-1")["errorMessage"] == (
        "Misconfigured: commit the result was refused: ItemCollectionSizeLimitExceeded, ValidationError"
    )


@pytest.mark.parametrize(
    ("changed", "table", "record_id", "reason"),
    [
        ({"accountId": "account-2"}, "Item", "item-1", "another account"),
        ({"accountId": "account-2"}, "Scorecard", "card-1", "another account"),
        ({"accountId": None}, "Item", "item-1", "Item item-1 has no accountId"),
        ({"text": " "}, "Item", "item-1", "no text"),
        ({"text": None}, "Item", "item-1", "no text"),
        ({"isDisabled": True}, "Score", "score-1", "disabled"),
        ({"scorecardId": "card-2"}, "Score", "score-1", "another scorecard"),
        ({"championVersionId": None}, "Score", "score-1", "champion"),
        ({"championVersionId": "version-9"}, "Score", "score-1", "version-9 does not exist"),
        ({"configuration": "scores: ["}, "ScoreVersion", "version-1", "InvalidScorecard"),
        ({"name": "Unheard of"}, "Score", "score-1", "UnknownScore"),
        ({"itemId": "item-9"}, "ScoringJob", "job-1", "item-9 does not exist"),
        ({"scorecardId": None}, "ScoringJob", "job-1", "names no Scorecard"),
    ],
)
def test_a_job_that_cannot_be_scored_fails_permanently(
    world: World, changed: dict[str, object], table: str, record_id: str, reason: str
) -> None:
    """The job is FAILED with the reason and its message is deleted; there is neither a result nor a response."""
    world.send_jobs(world.job())
    world.dynamodb.put(table, **{**world.dynamodb.fields(table, record_id), **changed})
    assert world.batch(world.runtime()) == []
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert job["status"] == "FAILED"
    assert reason in job["errorMessage"]
    assert len(job["errorMessage"]) <= 255
    assert world.dynamodb.ids("ScoreResult") == set()
    assert world.sent_results() == world.sqs.bodies("dead") == world.sqs.bodies("requests") == []


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ScoringFailed("the provider answered 503", transient=True),
        exceptions.ScoringFailed("the processor failed"),
        exceptions.DeadlineExceeded("too slow"),
        exceptions.ArtifactMissing("sha256:1"),
        ValueError(TEXT),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_is_retried_and_fails_at_the_last_receive(world: World, error: Exception) -> None:
    """After each receive the job is PENDING and the message hidden; after the last one the job is FAILED and the
    message dead-lettered, with the reason.
    """
    runtime = world.runtime(score=failing(error))
    world.send_jobs(world.job(text=TEXT))
    for receive in (1, 2):
        assert len(world.batch(runtime)) == 1
        job = world.dynamodb.fields("ScoringJob", "job-1")
        assert (job["status"], job["attempts"], "leaseOwner" in job) == ("PENDING", receive, False)
        assert world.batch(runtime) == []
        world.skip(60)
    assert world.batch(runtime) == []
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert job["status"] == "FAILED"
    assert world.reasons() == [job["errorMessage"]]
    assert world.dynamodb.ids("ScoreResult") == set()
    assert TEXT[:20] not in job["errorMessage"] + world.output.getvalue()


REPEATING = {
    "LimitExceeded: ": """
  - name: Refund
    key: refund
    class: CompositeScore
    expression: "'Yes' if len([a for a in text for b in text for c in text for d in text for e in text]) > 0 else 'No'"
""",
    "ProcessorFailed: ": """
  - name: Refund
    key: refund
    class: KeywordClassifier
    keywords: [refund]
    item: {processors: [{class: RelevantWindows, keywords: [nowhere]}]}
""",
    "ProcessorFailed: 'Refund' depends on 'First'": """
  - name: First
    key: first
    class: KeywordClassifier
    keywords: [refund]
    item: {processors: [{class: RelevantWindows, keywords: [nowhere]}]}
  - name: Refund
    key: refund
    class: CompositeScore
    depends_on: [First]
    expression: results['First'].value
""",
}


@pytest.mark.parametrize(("reason", "scores"), REPEATING.items(), ids=["expression", "processor", "dependency"])
def test_a_scorecard_that_refuses_an_item_is_not_asked_again(world: World, reason: str, scores: str) -> None:
    """A score computed without a model fails at the first receive, and so does a score that depends on it."""
    card = f"name: Reviews\nkey: reviews\nscores:{scores}"
    world.dynamodb.put("ScoreVersion", id="version-1", scoreId="score-1", configuration=card)
    world.send_jobs(world.job(text="I want a refund. " * 40))
    assert world.batch(world.runtime()) == []
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert (job["status"], job["errorMessage"][: len(reason)]) == ("FAILED", reason)
    assert world.reasons() == [job["errorMessage"]]


@pytest.mark.parametrize(
    "error", [kind("no") for kind in exceptions.FAILS_AGAIN], ids=lambda error: type(error).__name__
)
def test_a_failure_that_comes_again_is_not_retried(world: World, error: Exception) -> None:
    """At the first receive the job is FAILED and its message dead-lettered, with the reason, and can be redriven."""
    world.send_jobs(world.job())
    assert world.batch(world.runtime(score=failing(error))) == []
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert (job["status"], job["attempts"]) == ("FAILED", 1)
    assert world.reasons() == [job["errorMessage"]] == [f"{type(error).__name__}: no"]


def test_a_failed_job_has_no_lease(world: World) -> None:
    """A job that failed permanently has neither a lease nor a count of claims, so that a redrive starts anew."""
    world.send_jobs(world.job(text=" "))
    world.batch(world.runtime())
    record = world.dynamodb.fields("ScoringJob", "job-1")
    assert record["status"] == "FAILED"
    assert record.keys() & {"leaseOwner", "leaseUntil", "unfinishedClaims"} == set()


def test_a_lost_answer_of_an_update_is_no_lost_lease(tmp_path: Path) -> None:
    """If the answer to a job's last update is lost, its repetition finds the job FAILED, and it is dead-lettered."""
    world = World(tmp_path, attempts=2)
    runtime = world.runtime(score=failing(exceptions.ScoringFailed("down")))
    world.send_jobs(world.job())
    world.requests.messages[0].receives = 2

    def lose(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "after" and "completedAt" in request.get("UpdateExpression", ""):
            world.wire.fault = no_fault
            raise Refused("InternalServerError", 500)

    world.wire.fault = lose
    assert world.batch(runtime) == []
    assert world.status("job-1") == "FAILED"
    assert world.reasons() == ["ScoringFailed: down"]


@pytest.mark.parametrize("operation", ["SendMessageBatch", "BatchWriteItem"])
def test_a_completed_job_stays_completed_at_the_last_receive(world: World, operation: str) -> None:
    """If its response is not sent or not marked, the message is dead-lettered with the reason; the sweep responds."""

    def fault(called: str, phase: str, request: dict[str, Any]) -> None:
        if called == operation:
            raise Refused("ThrottlingException")

    world.wire.fault = fault
    world.send_jobs(world.job())
    world.requests.messages[0].receives = 2
    assert world.batch(world.runtime()) == []
    assert (world.status("job-1"), len(world.reasons())) == ("COMPLETED", 1)
    assert world.reasons()[0].startswith("Unavailable: ")
    world.wire.fault = no_fault
    world.skip(61)
    assert world.invoke(world.runtime(), {"source": "sweep"})[1]["sent"] == 1
    assert set(world.sent_results()) == {derive_result_id("job-1")}


def refuse_attributes(operation: str, phase: str, request: dict[str, Any]) -> None:
    """Refuse to tell how often SQS delivers a message."""
    if operation == "GetQueueAttributes":
        raise Refused("AccessDenied")


def test_a_failed_job_is_released_whatever_the_queue_answers(world: World) -> None:
    """If SQS does not tell whether it delivers the message again, the job is PENDING with its reason, and counts no
    claim: no process ended.
    """
    world.wire.fault = refuse_attributes
    world.requests.max_receive_count = 5
    world.send_jobs(world.job())
    for _ in range(4):
        assert len(world.batch(world.runtime(score=failing(exceptions.ScoringFailed("down"))))) == 1
        job = world.dynamodb.fields("ScoringJob", "job-1")
        assert (job["status"], job["errorMessage"]) == ("PENDING", "ScoringFailed: down")
        assert job.keys() & {"leaseOwner", "leaseUntil", "unfinishedClaims"} == set()
        world.skip(60)  # a pause, and not the visibility timeout
    assert any("redrive policy" in line.get("second_error", "") for line in world.lines())


def test_poison_is_dead_lettered_whatever_the_queue_answers(world: World) -> None:
    """A dead-letter queue that the settings name is used without asking SQS for the request queue's policy."""
    world.wire.fault = refuse_attributes
    world.send("nonsense")
    assert world.batch(world.runtime(dead_letter_queue_url=world.dead_letters.url)) == []
    assert world.sqs.bodies("dead") == ["nonsense"]


def test_a_job_that_ended_its_processes_fails_whatever_the_queue_answers(world: World) -> None:
    """The job is FAILED at its limit although SQS refuses each call about its queue; its dead letter follows later."""
    world.wire.fault = refuse_attributes
    world.send_jobs(world.job(unfinishedClaims=3))
    assert len(world.batch(world.runtime())) == 1
    assert world.dynamodb.fields("ScoringJob", "job-1")["errorMessage"].startswith("EndedProcesses: ")
    world.wire.fault = no_fault
    world.skip(1801)
    assert world.batch(world.runtime()) == []
    assert [reason.partition(":")[0] for reason in world.reasons()] == ["AlreadyFailed"]


@pytest.mark.parametrize("value", ["", None, 3])
def test_a_failure_never_becomes_a_value(world: World, value: object) -> None:
    """An engine that returns no value does not produce a result."""
    result = plexus.Result(value)  # type: ignore[arg-type]  # what a faulty score class may do
    world.send_jobs(world.job())
    assert len(world.batch(world.runtime(score=scoring(lambda _item, _context: result)))) == 1
    assert world.dynamodb.ids("ScoreResult") == set()


def test_a_batch_response_lists_exactly_the_failed_record(world: World) -> None:
    """Of ten jobs, only the failed one is delivered again."""

    def score_good(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        if item.text == "bad":
            raise exceptions.ScoringFailed("down", transient=True)
        return plexus.Result("Yes")

    world.send_jobs(*(world.job(number, "bad" if number == 4 else "good") for number in range(10)))
    failed = world.batch(world.runtime(score=scoring(score_good)))
    assert failed == [world.requests.messages[0].id]
    assert len(world.sent_results()) == 9
    assert derive_result_id("job-4") not in world.sent_results()


def test_the_text_is_never_logged(world: World) -> None:
    """The log of a completed job has its ids and duration, and nothing of the item's text."""
    world.send_jobs(world.job(text=TEXT))
    world.batch(world.runtime(log_level="DEBUG"))
    assert any(line.get("scoring_job_id") == "job-1" for line in world.lines())
    assert "Jane" not in world.output.getvalue()


def test_an_error_that_quotes_the_text_is_recorded_without_it(world: World) -> None:
    """Neither the job, the log nor the outcome has a part of the item's text that an error quotes."""
    world.send_jobs(world.job(text=TEXT))
    runtime = world.runtime(score=failing(exceptions.ScoringFailed(f"cannot read {TEXT!r}")))
    world.batch(runtime)
    assert "cannot read" in world.output.getvalue()
    assert "Jane Roe" not in world.output.getvalue() + str(world.dynamodb.fields("ScoringJob", "job-1")) + str(
        world.reasons()
    )
