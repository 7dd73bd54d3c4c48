"""Unusual characters, numbers and sizes at each input are processed, or rejected with the reason."""

import json
from decimal import Decimal
from typing import Any

import pytest

import plexus
from handler import sqs_event
from handler.exceptions import InvalidEvent
from handler.records import derive_result_id
from tests.memory.world import Context, World, scoring
from tests.unit.handler.test_message import WRONG
from tests.unit.handler.test_sqs_event import RECORD

TEXTS = {
    "NUL": "a refund\0\0",
    "lone surrogate": "a refund \ud800 please",
    "right to left": "\u202erefund\u202c a",
    "emoji": "👩🏽\u200d🚒 refund 🧾",
    "byte order mark": "\ufeffrefund",
    "combining": "refund e" + "\u0301" * 1000,
    "other lines": "a\u2028refund\u2029\x85\x0b\x0c",
    "long": "refund " + "é" * 130_000,
}
TWICE = '{"scoring_job_id": "job-1", "scoring_job_id": "job-1"}'
WRAPPED = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:us-west-2:1:jobs", "Message": TWICE})
BODIES = [body for body in WRONG if body]  # SQS holds no empty ones


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_of_any_characters_is_scored(world: World, text: str) -> None:
    """A text of any characters gives its job one result, and none of it is in the log."""
    world.send_jobs(world.job())
    world.dynamodb.tables["Item"]["item-1"]["text"] = {"S": text}
    assert world.batch(world.runtime()) == []
    assert world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))["value"] == "Yes"
    assert world.status("job-1") == "COMPLETED"


def test_metadata_of_any_kind_reaches_the_score(world: World) -> None:
    """Numbers up to DynamoDB's limits, sets, bytes and nulls reach the score as JSON values."""
    numbers = {"large": {"N": "1E+125"}, "small": {"N": "1E-130"}, "long": {"N": "9" * 38}, "half": {"N": "-0.5"}}
    others = {"set": {"SS": ["a"]}, "bytes": {"B": "AAE="}, "null": {"NULL": True}, "\0": {"L": [{"BOOL": False}]}}
    calls: list[dict[str, Any]] = []

    def keep(item: plexus.Item, _: plexus.Context) -> plexus.Result:
        calls.append(dict(item.metadata))
        return plexus.Result("Yes")

    world.send_jobs(world.job())
    world.dynamodb.tables["Item"]["item-1"]["metadata"] = {"M": {**numbers, **others}}
    assert world.batch(world.runtime(score=scoring(keep))) == []
    assert calls == [
        {"large": 10**125, "small": 1e-130, "long": int("9" * 38), "half": -0.5}
        | {"set": ["a"], "bytes": "AAE=", "null": None, "\0": [False]}
    ]


@pytest.mark.parametrize("name", ["confidence", "cost"])
@pytest.mark.parametrize(
    "number",
    [float("nan"), float("-inf"), Decimal("NaN"), Decimal("sNaN"), 10**400, True, "high"],
    ids=lambda it: str(it)[:12],
)
def test_a_number_that_is_not_finite_is_rejected(world: World, name: str, number: Any) -> None:
    """A result whose confidence or cost is not finite is rejected with the field's name, and never stored."""
    result = plexus.Result("Yes", **{name: number})
    world.send_jobs(world.job())
    assert len(world.batch(world.runtime(score=scoring(lambda _item, _context: result)))) == 1
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert job["errorMessage"] == f"InvalidResult: the score's {name} is not a finite number"
    assert world.dynamodb.ids("ScoreResult") == set()


def test_a_trace_of_anything_is_stored(world: World) -> None:
    """Anything that a score leaves in its trace is stored, as it is or as readable text."""
    loop: list[Any] = []
    loop.append(loop)
    trace = {
        "nan": float("nan"),
        "huge": 10**5000,
        "half": "\ud800",
        "": 1,
        "loop": loop,
        "object": object(),
        "\0": b"\0",
    }
    world.send_jobs(world.job())
    assert world.batch(world.runtime(score=scoring(lambda _item, _context: plexus.Result("Yes", trace=trace)))) == []
    stored = world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))["trace"]
    assert (stored["nan"], stored["half"], stored["object"]) == ("nan", "\N{REPLACEMENT CHARACTER}", "object")
    assert stored["huge"].startswith("integer of ")
    assert len(stored) == len(trace)


@pytest.mark.parametrize("status", ["QUEUED", "pending", "COMPLETED\0", "x" * 1000, "", None])
def test_a_job_in_an_unknown_status_is_dead_lettered(world: World, status: str | None) -> None:
    """A job in a status that the worker does not define is neither scored nor changed."""
    world.send_jobs(world.job(status=status))
    before = world.dynamodb.fields("ScoringJob", "job-1")
    assert world.batch(world.runtime()) == []
    (reason,) = world.reasons()
    assert reason.startswith("UnknownStatus: the scoring job's status is '")
    assert len(reason) <= 255
    assert world.dynamodb.fields("ScoringJob", "job-1") == before


@pytest.mark.parametrize(
    "configuration",
    ["\0", "\ud800", '"\\ud800"', "9" * 5000, "[" * 1_000, "key: k\nname: n\nscores: 1e999", "key: .nan", "&a [*a]"],
    ids=lambda text: text[:12],
)
def test_an_invalid_scorecard_fails_the_job(world: World, configuration: str) -> None:
    """A version that is not a scorecard, whatever else it is, fails its job permanently."""
    world.send_jobs(world.job())
    world.dynamodb.tables["ScoreVersion"]["version-1"]["configuration"] = {"S": configuration}
    assert world.batch(world.runtime()) == []
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert (job["status"], job["errorMessage"][:16]) == ("FAILED", "InvalidScorecard")


@pytest.mark.parametrize(
    ("table", "record", "field", "name"),
    [
        ("Item", "item-1", "text", "Item item-1: its text"),
        ("ScoreVersion", "version-1", "configuration", "ScoreVersion version-1: its configuration"),
    ],
)
def test_a_text_of_another_type_fails_the_job(world: World, table: str, record: str, field: str, name: str) -> None:
    """A record whose text is stored as something else is named, and its job is not tried again."""
    world.send_jobs(world.job())
    world.dynamodb.tables[table][record][field] = {"B": "AAE="}
    assert world.batch(world.runtime()) == []
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert (job["status"], job["errorMessage"].partition(" is ")[0]) == ("FAILED", f"IncompleteJob: {name}")


@pytest.mark.parametrize("start", range(0, len(BODIES), 10))
def test_poison_does_not_affect_the_rest_of_a_batch(world: World, start: int) -> None:
    """Poison of every kind is dead-lettered unchanged, with its reason; the valid job of the batch is completed."""
    odd = BODIES[start : start + 9]
    world.send(*odd)
    world.send_jobs(world.job())
    assert world.batch(world.runtime()) == []
    assert sorted(world.sqs.bodies("dead")) == sorted(odd)
    assert all(reason.startswith("InvalidMessage: ") for reason in world.reasons())
    assert world.status("job-1") == "COMPLETED"


@pytest.mark.parametrize("body", ["\0", "\ud800", '{"scoring_job_id": "a\0"}', "\ufffe"])
def test_a_fan_out_with_characters_that_sqs_rejects_keeps_its_message(world: World, body: str) -> None:
    """A body with characters that SQS rejects cannot be dead-lettered: it is answered with 400, and not deleted."""
    world.send_jobs("unrelated")
    (message,) = world.sqs.receive(world.requests, 1)
    event = {"source": "fanout", "message_body": body, "receipt_handle": message.handles[-1]}
    status, answer = world.invoke(world.runtime(), {**event, "queue_url": world.requests.url})
    assert (status, answer["message"]) == (400, "invalid message body")
    assert answer["error"].startswith("InvalidMessage: ")
    assert len(world.sqs.bodies("requests")) == 1


@pytest.mark.parametrize("sent", ["NaN", "1e999", "-1", "0"])
def test_any_timestamp_gives_a_message_age(world: World, sent: str) -> None:
    """The message age in the metrics is a number, whatever the timestamp is."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": sent}
    record = {**RECORD, "eventSourceARN": world.requests.arn, "body": "poison", "attributes": attributes}
    assert world.runtime().handle({"Records": [record]}, Context()) == {"batchItemFailures": []}
    assert "NaN" not in world.output.getvalue()
    assert "Infinity" not in world.output.getvalue()


@pytest.mark.parametrize("count", ["9" * 5000, "", "one", "1.5", None])
def test_a_receive_count_that_is_not_an_integer_is_rejected(count: str | None) -> None:
    """An SQS event whose receive count is not an integer is rejected."""
    with pytest.raises(InvalidEvent, match="SQS event: a record is malformed"):
        sqs_event.parse_messages([{**RECORD, "attributes": {"ApproximateReceiveCount": count}}])


@pytest.mark.parametrize("count", ["attempts", "unfinishedClaims"])
def test_a_record_that_cannot_be_claimed_is_named(world: World, count: str) -> None:
    """A job whose counts are texts is dead-lettered with what is wrong with its record, which stays as it is."""
    world.send_jobs(world.job())
    world.dynamodb.tables["ScoringJob"]["job-1"][count] = {"S": "3"}
    for _ in range(5):
        world.batch(world.runtime())
        world.skip(1801)
    assert [reason.partition(";")[0] for reason in world.reasons()] == [
        "Misconfigured: the scoring job's record cannot be updated: got ValidationException, expected numbers in "
        "attempts and unfinishedClaims, and at most 400 KB"
    ]
    assert world.status("job-1") == "PENDING"


def test_a_record_whose_id_is_too_long_does_not_exist(world: World) -> None:
    """A job that names a record by more bytes than a key can have fails alone: DynamoDB would refuse the whole read."""
    world.send_jobs(world.job(1), world.job(2, itemId="é" * 1025))
    assert world.batch(world.runtime()) == []
    assert (world.status("job-1"), world.status("job-2")) == ("COMPLETED", "FAILED")
    assert world.dynamodb.fields("ScoringJob", "job-2")["errorMessage"].startswith("IncompleteJob: Item éé")


@pytest.mark.parametrize("body", ['{"scoring_job_id": "job-1", "scoring_job_id": "job-2"}', WRAPPED])
def test_a_body_with_two_ids_is_dead_lettered(world: World, body: str) -> None:
    """No job is chosen from a body with two ids, of which other readers take the first, the last or none."""
    world.job(1)
    world.job(2)
    world.send(body)
    assert world.batch(world.runtime()) == []
    assert [reason.partition(";")[0] for reason in world.reasons()] == [
        "InvalidMessage: the message's body has more than one scoring_job_id"
    ]
    assert (world.status("job-1"), world.status("job-2")) == ("PENDING", "PENDING")
