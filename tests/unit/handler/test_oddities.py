"""What nobody sends on purpose: at each way in, odd characters, numbers and sizes are handled, or refused by name."""

from decimal import Decimal
from typing import Any

import pytest

import plexus
from handler import batch
from handler.exceptions import InvalidEvent
from handler.records import result_id
from tests.memory.world import Context, World, scoring
from tests.unit.handler.test_batch import RECORD
from tests.unit.handler.test_message import WRONG

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
BODIES = [body for body in WRONG if body]  # SQS holds no empty ones


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_of_any_characters_is_scored(world: World, text: str) -> None:
    """Whatever characters an item's text has, its job gets its one result and the log none of it."""
    world.send_jobs(world.job())
    world.dynamodb.tables["Item"]["item-1"]["text"] = {"S": text}
    assert world.batch(world.runtime()) == []
    assert world.dynamodb.fields("ScoreResult", result_id("job-1"))["value"] == "Yes"
    assert world.status("job-1") == "COMPLETED"


def test_metadata_of_any_kind_reaches_the_score(world: World) -> None:
    """Numbers up to DynamoDB's limits, sets, bytes and nulls arrive as plain values."""
    numbers = {"large": {"N": "1E+125"}, "small": {"N": "1E-130"}, "long": {"N": "9" * 38}, "half": {"N": "-0.5"}}
    others = {"set": {"SS": ["a"]}, "bytes": {"B": "AAE="}, "null": {"NULL": True}, "\0": {"L": [{"BOOL": False}]}}
    seen: list[dict[str, Any]] = []

    def keep(item: plexus.Item, _: plexus.Context) -> plexus.Result:
        seen.append(dict(item.metadata))
        return plexus.Result("Yes")

    world.send_jobs(world.job())
    world.dynamodb.tables["Item"]["item-1"]["metadata"] = {"M": {**numbers, **others}}
    assert world.batch(world.runtime(score=scoring(keep))) == []
    assert seen == [
        {"large": 10**125, "small": 1e-130, "long": int("9" * 38), "half": -0.5}
        | {"set": {"a"}, "bytes": b"\0\1", "null": None, "\0": [False]}
    ]


@pytest.mark.parametrize("name", ["confidence", "cost"])
@pytest.mark.parametrize(
    "number",
    [float("nan"), float("-inf"), Decimal("NaN"), Decimal("sNaN"), 10**400, True, "high"],
    ids=lambda it: str(it)[:12],
)
def test_a_number_that_is_none_makes_no_result(world: World, name: str, number: Any) -> None:
    """A confidence or cost that is not finite is refused by name, and never stored."""
    result = plexus.Result("Yes", **{name: number})
    world.send_jobs(world.job())
    assert len(world.batch(world.runtime(score=scoring(lambda _item, _context: result)))) == 1
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert job["errorMessage"] == f"InvalidResult: the score's {name} is not a finite number"
    assert world.dynamodb.ids("ScoreResult") == set()


def test_a_trace_of_anything_is_stored(world: World) -> None:
    """What a score leaves in its trace costs no result: it is stored as it is, or as something readable."""
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
    stored = world.dynamodb.fields("ScoreResult", result_id("job-1"))["trace"]
    assert (stored["nan"], stored["half"], stored["object"]) == ("nan", "\N{REPLACEMENT CHARACTER}", "object")
    assert stored["huge"].startswith("integer of ")
    assert len(stored) == len(trace)


@pytest.mark.parametrize("status", ["QUEUED", "pending", "COMPLETED\0", "x" * 1000, "", None])
def test_a_job_in_an_unknown_status_is_a_dead_letter_with_its_reason(world: World, status: str | None) -> None:
    """A status that nobody here writes is neither scored nor silently taken for done; the job is left as it is."""
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
def test_a_scorecard_of_anything_is_refused_by_name(world: World, configuration: str) -> None:
    """A version that is no scorecard fails its job for good as invalid, whatever else it is."""
    world.send_jobs(world.job())
    world.dynamodb.tables["ScoreVersion"]["version-1"]["configuration"] = {"S": configuration}
    assert world.batch(world.runtime()) == []
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert (job["status"], job["errorMessage"][:16]) == ("FAILED", "InvalidScorecard")


@pytest.mark.parametrize("start", range(0, len(BODIES), 10))
def test_odd_bodies_beside_a_good_one_are_dead_letters_as_they_were(world: World, start: int) -> None:
    """Poison of every kind leaves the queue at once, unchanged, each with its reason; the good job is done."""
    odd = BODIES[start : start + 9]
    world.send(*odd)
    world.send_jobs(world.job())
    assert world.batch(world.runtime()) == []
    assert sorted(world.sqs.bodies("dead")) == sorted(odd)
    assert all(reason.startswith("InvalidMessage: ") for reason in world.reasons())
    assert world.status("job-1") == "COMPLETED"


@pytest.mark.parametrize("character", ["x", "é", "\N{FIRE}"])
def test_a_body_that_fills_a_message_is_kept_whole(world: World, character: str) -> None:
    """256 KB count in bytes: a body of them has no room for the reason, whatever its characters take."""
    body = character * (262_144 // len(character.encode()))
    world.send(body)
    assert world.batch(world.runtime()) == []
    assert world.sqs.bodies("dead") == [body]
    assert world.reasons() == [""]


@pytest.mark.parametrize("body", ["\0", "\ud800", '{"scoring_job_id": "a\0"}', "\ufffe"])
def test_a_fan_out_of_what_no_queue_takes_is_refused_and_its_message_stays(world: World, body: str) -> None:
    """Characters that SQS does not take cannot be dead-lettered: 400 with the reason, and nothing is deleted."""
    world.send_jobs("unrelated")
    (message,) = world.sqs.receive(world.requests, 1)
    event = {"source": "fanout", "message_body": body, "receipt_handle": message.handles[-1]}
    status, answer = world.invoke(world.runtime(), {**event, "queue_url": world.requests.url})
    assert (status, answer["message"]) == (400, "body is no request")
    assert answer["error"].startswith("InvalidMessage: ")
    assert len(world.sqs.bodies("requests")) == 1


@pytest.mark.parametrize("sent", ["NaN", "1e999", "-1", "0"])
def test_an_odd_time_of_sending_is_no_failure(world: World, sent: str) -> None:
    """A message's age is a number in the metrics whatever its timestamp is."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": sent}
    record = {**RECORD, "eventSourceARN": world.requests.arn, "body": "poison", "attributes": attributes}
    assert world.runtime().handle({"Records": [record]}, Context()) == {"batchItemFailures": []}
    assert "NaN" not in world.output.getvalue()
    assert "Infinity" not in world.output.getvalue()


@pytest.mark.parametrize("count", ["9" * 5000, "", "one", "1.5", None])
def test_a_receive_count_that_is_none_is_named(count: str | None) -> None:
    """SQS counts in whole numbers; anything else is an event that it did not send."""
    with pytest.raises(InvalidEvent, match="a record of the SQS event lacks"):
        batch.deliveries({"Records": [{**RECORD, "attributes": {"ApproximateReceiveCount": count}}]})
