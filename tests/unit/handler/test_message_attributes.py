"""Message attributes in copies of messages: the sender's are kept, and the reason of a dead letter has its place."""

import base64
import json
from typing import Any

import pytest

from handler.message_attributes import MAXIMUM_BYTES, add_reason, has_room_for_reason, measure_message, parse
from tests.memory.sqs import system_attributes
from tests.memory.world import World

SENT: dict[str, Any] = {
    "tenant": {"DataType": "String", "StringValue": "größe"},
    "priority": {"DataType": "Number.int", "StringValue": "7"},
    "checksum": {"DataType": "Binary.sha", "BinaryValue": "AAH/"},
}
"""As SendMessage takes them in JSON, where binary values are Base64."""
BYTES = {**SENT, "checksum": {"DataType": "Binary.sha", "BinaryValue": b"\0\1\xff"}}


def reason_of(world: World) -> str:
    """Return the reason of the only dead letter."""
    (reason,) = world.reasons()
    return reason


def test_a_dead_letter_keeps_the_attributes_of_the_sender(world: World) -> None:
    """Poison is dead-lettered with its sender's attributes of every type, and one more: the reason."""
    world.send("poison", attributes=SENT)
    world.batch(world.runtime())
    (letter,) = world.dead_letters.messages
    assert {name: letter.attributes[name] for name in SENT} == SENT
    assert letter.attributes.keys() - SENT == {"reason"}
    assert reason_of(world).startswith("InvalidMessage: ")


def test_a_message_that_is_polled_keeps_its_attributes(world: World) -> None:
    """A manual poll requests the attributes, and dead-letters the message with them."""
    world.send("poison", attributes=SENT)
    world.invoke(world.runtime())
    (letter,) = world.dead_letters.messages
    assert {name: letter.attributes[name] for name in SENT} == SENT


def test_a_message_of_a_fan_out_keeps_its_attributes(world: World) -> None:
    """A fan-out may have the attributes, as ReceiveMessage returns them."""
    world.send("poison")
    (message,) = world.sqs.receive(world.requests, 1)
    event = {"source": "fanout", "message_body": "poison", "receipt_handle": message.handles[-1]}
    world.invoke(world.runtime(), {**event, "queue_url": world.requests.url, "message_attributes": SENT})
    (letter,) = world.dead_letters.messages
    assert {name: letter.attributes[name] for name in SENT} == SENT


def test_a_message_that_is_sent_again_keeps_its_attributes(world: World) -> None:
    """The fresh copy that replaces a message at its last receive has the same attributes."""
    job = world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=world.time + 40)
    world.send(json.dumps({"scoring_job_id": job}), attributes=SENT)
    world.requests.messages[0].receives = 2
    world.batch(world.runtime())
    (copy,) = world.requests.messages
    assert copy.attributes == SENT
    assert system_attributes(copy)["ApproximateReceiveCount"] == "0"


@pytest.mark.parametrize("attributes", [{}, SENT], ids=["none", "some"])
@pytest.mark.parametrize("character", ["x", "é", "\N{FIRE}"])
@pytest.mark.parametrize("spare", [0, 12, 16, 60, 400, 800_000])
def test_a_large_body_is_dead_lettered_unchanged(
    world: World, character: str, spare: int, attributes: dict[str, Any]
) -> None:
    """A message of up to 1 MiB keeps body and attributes, and has as much of the reason as there is room for."""
    room = MAXIMUM_BYTES - spare - (measure_message("", BYTES) if attributes else 0)
    body = character * (room // len(character.encode()))
    world.send(body, attributes=attributes)
    assert world.batch(world.runtime()) == []
    (letter,) = world.dead_letters.messages
    assert letter.body == body
    assert {name: letter.attributes[name] for name in attributes} == attributes
    reason = reason_of(world)
    whole = next(line["error"] for line in world.lines() if line["message"] == "no result")
    assert whole.startswith(reason)
    assert (reason == whole) == (spare >= 400)
    assert bool(reason) == has_room_for_reason(body, BYTES if attributes else {})


def test_the_reason_takes_the_place_of_the_last_of_ten_attributes() -> None:
    """A message has at most ten attributes, and an earlier reason is replaced."""
    ten: Any = {f"name-{number}": {"DataType": "String", "StringValue": "x"} for number in range(10)}
    assert list(add_reason("body", ten, "why")) == [*(f"name-{number}" for number in range(9)), "reason"]
    again: Any = {**dict(list(ten.items())[:9]), "reason": {"DataType": "String", "StringValue": "old"}}
    assert add_reason("body", again, "why")["reason"] == {"DataType": "String", "StringValue": "why"}
    assert len(add_reason("body", again, "why")) == 10


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        "text",
        {"a": None},
        {"a": {}},
        {"a": {"dataType": "String"}},
        {"a": {"dataType": 1, "stringValue": "x"}},
        {"a": {"dataType": "Binary", "binaryValue": "no Base64"}},
        {"a": {"dataType": "String", "stringValue": None, "stringListValues": ["x"]}},
    ],
)
def test_what_sqs_never_sends_is_omitted(odd: object) -> None:
    """Attributes of another form are omitted, since SQS would refuse every copy of the message with them."""
    assert parse(odd) == {}


def test_both_forms_of_an_attribute_are_the_same() -> None:
    """An event's attributes and those of ReceiveMessage become the same values."""
    event = {
        name: {part[0].lower() + part[1:]: value for part, value in attribute.items()} | {"stringListValues": []}
        for name, attribute in SENT.items()
    }
    assert parse(event) == parse(BYTES) == BYTES
    assert base64.b64encode(BYTES["checksum"]["BinaryValue"]).decode() == SENT["checksum"]["BinaryValue"]


def test_a_message_for_a_failed_job_is_logged(world: World) -> None:
    """A message for a FAILED job, as SQS's own redrive sends it, is deleted with a warning that states the remedy."""
    world.send_jobs(world.job(status="FAILED"))
    assert world.batch(world.runtime()) == []
    (line,) = [line for line in world.lines() if line.get("level") == "WARNING"]
    assert line["scoring_job_id"] == "job-1"
    assert line["message"].startswith("the job is FAILED, so its message is deleted; next: make dlq REDRIVE=1")
