"""SQS messages: a received one as a value, and the formats of request and response bodies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handler.events import describe_known
from handler.exceptions import InvalidMessage
from handler.message_attributes import MessageAttributes

_BYTE_ORDER_MARK = "\ufeff"
_DEEPEST_ENVELOPE = 3  # EventBridge rule → SNS topic → queue is two
_EXPECTED = 'expected {"scoring_job_id": "..."}'
MAXIMUM_ID_BYTES = 2048  # DynamoDB's limit for a partition key


@dataclass(frozen=True)
class Message:
    """One receipt of one message; receiving the message again makes another `Message`.

    `queue` is a URL or an ARN. `receipt_handle` is empty if no queue has the message, since an event was only its body.
    `receive_count` is None if the event does not include it (fan-out). `group` is the message group of a FIFO queue,
    and None in standard queues. `sent` is in Unix seconds, and `sender_trace_id` names the sender's X-Ray trace.
    `attributes` are the sender's, which every copy of the message keeps.
    """

    message_id: str
    body: str
    receipt_handle: str
    queue: str
    receive_count: int | None = None
    group: str | None = None
    sent: float | None = None
    sender_trace_id: str | None = None
    attributes: MessageAttributes = field(default_factory=dict, compare=False)

    @property
    def is_queued(self) -> bool:
        """Whether a queue has the message, so that it can be hidden, deleted or dead-lettered."""
        return bool(self.receipt_handle)


@dataclass(frozen=True)
class ScoringRequest:
    """The content of a request body: the scoring job to run."""

    scoring_job_id: str


@dataclass(frozen=True)
class ScoringResponse:
    """The announcement of a committed result; the body sent has the result's id only."""

    scoring_job_id: str
    score_result_id: str


def parse_request(body: str) -> ScoringRequest:
    """Parse a request body, `{"scoring_job_id": "..."}`; other members and a byte order mark are ignored.

    The body may be in envelopes: the notification of an SNS topic, the event of an EventBridge rule. Raises
    `InvalidMessage`. Its text says what is wrong and never quotes the body.
    """
    content = _load(body)
    for _ in range(_DEEPEST_ENVELOPE):
        inner = _unwrap(content)
        if inner is None:
            break
        content = inner
    if "scoring_job_id" not in content:
        known = describe_known(content)
        detail = f": it is {known}" if known else ""
        raise InvalidMessage(f"the message's body has no scoring_job_id{detail}; {_EXPECTED}")
    return ScoringRequest(validate_id(content["scoring_job_id"]))


def find_job_id(body: str) -> str | None:
    """Return the job's id in a message's body; None if the body names no job."""
    try:
        return parse_request(body).scoring_job_id
    except InvalidMessage:
        return None


def _unwrap(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the body in an envelope, or None if there is none; a body with a scoring_job_id is never an envelope."""
    if "scoring_job_id" in content:
        return None
    if content.get("Type") == "Notification" and "TopicArn" in content and isinstance(content.get("Message"), str):
        return _load(content["Message"], "the message of the SNS notification in it")
    if "detail-type" in content and isinstance(content.get("detail"), dict) and "source" in content:
        return dict(content["detail"])
    return None


def _load(body: str, what: str = "the message's body") -> Mapping[str, Any]:
    """Parse a JSON object; `what` names it in the error."""
    try:
        content = json.loads(body.removeprefix(_BYTE_ORDER_MARK), object_pairs_hook=_create_object)
    except (ValueError, RecursionError) as error:
        detail = f"{error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else "out of limits"
        raise InvalidMessage(f"{what} is not JSON: {detail}; {_EXPECTED}") from None
    if not isinstance(content, dict):
        raise InvalidMessage(f"{what} is a JSON {_json_type(content)}, not an object; {_EXPECTED}")
    return content


def _create_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; readers differ in which of two ids they take, so neither is."""
    if sum(name == "scoring_job_id" for name, _ in members) > 1:
        raise InvalidMessage(f"the message's body has more than one scoring_job_id; {_EXPECTED}")
    return dict(members)


def create_response_body(score_result_id: str) -> str:
    """Return the body of the response for a committed result."""
    return json.dumps({"score_result_id": score_result_id})


def validate_id(value: object) -> str:
    """Return the id if it can be a DynamoDB key; raises `InvalidMessage` if it cannot."""
    if not isinstance(value, str):
        raise InvalidMessage(f"scoring_job_id is a JSON {_json_type(value)}, not a string")
    if not value.strip():
        raise InvalidMessage("scoring_job_id is empty")
    if any(not character.isprintable() for character in value):
        raise InvalidMessage("scoring_job_id contains control characters or lone surrogates")
    if not is_possible_id(value):
        raise InvalidMessage(f"scoring_job_id is longer than {MAXIMUM_ID_BYTES} bytes")
    return value


def is_possible_id(value: str) -> bool:
    """Return whether a record may have this id: DynamoDB refuses a call for a longer one, and its whole batch."""
    return len(value.encode(errors="replace")) <= MAXIMUM_ID_BYTES


def _json_type(value: object) -> str:
    """Return JSON's name for the type of a parsed value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names: dict[type, str] = {dict: "object", list: "array", str: "string"}
    return names.get(type(value), "number")
