from typing import Any

import pytest

import plexus
from handler.records import result_id
from handler.scoring import Score
from plexus import exceptions
from tests.memory.wire import Refused
from tests.memory.world import World, scoring

TEXT = "I want a refund for order 12345678, says Jane Roe of Elm Street."


def failing(error: Exception) -> Score:
    """An engine that raises."""

    def fail(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        raise error

    return scoring(fail)


@pytest.mark.parametrize(
    ("body", "reason"),
    [("nonsense", "not JSON"), ("{}", "no scoring_job_id"), ('{"scoring_job_id": "nobody"}', "no scoring job has")],
)
def test_poison_goes_to_the_dead_letters_at_once_with_its_reason(world: World, body: str, reason: str) -> None:
    """A body that can never succeed is dead-lettered at its first receive, unchanged, with the reason."""
    world.send(body)
    assert world.batch(world.runtime()) == []
    assert world.sqs.bodies("dead") == [body]
    assert reason in world.reasons()[0]
    assert world.sqs.bodies("requests") == []


def test_poison_that_fills_a_message_is_dead_lettered_without_attribute(world: World) -> None:
    """A body of 256 KB leaves no room for the reason, and is kept all the same."""
    world.send("x" * 262_144)
    assert world.batch(world.runtime()) == []
    assert len(world.sqs.bodies("dead")[0]) == 262_144


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_was_throttled_or_met_another_is_tried_again(world: World, code: str) -> None:
    """DynamoDB tells it among the transaction's reasons; it is load, and nothing for an operator to set right."""

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and operation == "TransactWriteItems":
            reasons = [{"Code": "None"}, {"Code": code}, {"Code": "None"}]
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)

    world.wire.fault = fault
    world.send_jobs(world.job())
    assert len(world.batch(world.runtime())) == 1
    (line,) = [line for line in world.lines() if line.get("message") == "no result"]
    assert (line["cause"], world.status("job-1")) == ("AWS throttled, failed or was slow", "PENDING")


@pytest.mark.parametrize(
    ("changed", "table", "record_id", "reason"),
    [
        ({"accountId": "account-2"}, "ScoringJob", "job-1", "another account"),
        ({"accountId": "account-2"}, "Item", "item-1", "another account"),
        ({"accountId": "account-2"}, "Scorecard", "card-1", "another account"),
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
def test_a_job_that_cannot_be_scored_fails_for_good(
    world: World, changed: dict[str, object], table: str, record_id: str, reason: str
) -> None:
    """The job is FAILED with the reason, its message consumed; there is neither result nor response."""
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
def test_a_failure_is_tried_again_and_fails_at_the_last_receive(world: World, error: Exception) -> None:
    """PENDING with a pause after each receive; at the last FAILED, and the message dead-lettered, with the reason."""
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


@pytest.mark.parametrize("value", ["", None, 3])
def test_a_failure_never_becomes_a_value(world: World, value: object) -> None:
    """An engine that returns no value does not make a result."""
    result = plexus.Result(value)  # type: ignore[arg-type]  # what a faulty score class may do
    world.send_jobs(world.job())
    assert len(world.batch(world.runtime(score=scoring(lambda _item, _context: result)))) == 1
    assert world.dynamodb.ids("ScoreResult") == set()


def test_a_batch_names_exactly_the_failed_record(world: World) -> None:
    """One failure among ten comes back; the other nine are done."""

    def one(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        if item.text == "bad":
            raise exceptions.ScoringFailed("down", transient=True)
        return plexus.Result("Yes")

    world.send_jobs(*(world.job(number, "bad" if number == 4 else "good") for number in range(10)))
    failed = world.batch(world.runtime(score=scoring(one)))
    assert failed == [world.requests.messages[0].id]
    assert len(world.sent_results()) == 9
    assert result_id("job-4") not in world.sent_results()


def test_the_text_is_never_logged(world: World) -> None:
    """A good job's log has its ids and duration, and nothing of the text."""
    world.send_jobs(world.job(text=TEXT))
    world.batch(world.runtime(log_level="DEBUG"))
    assert any(line.get("scoring_job_id") == "job-1" for line in world.lines())
    assert "Jane" not in world.output.getvalue()
