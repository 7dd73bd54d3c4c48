"""Message bodies and the values they stand for."""

import json
from dataclasses import dataclass

from handler.exceptions import InvalidMessage

MAXIMUM_ID_BYTES = 2048  # of a partition key in DynamoDB


@dataclass(frozen=True)
class ScoringRequest:
    """What a message asks for: that one scoring job be done."""

    scoring_job_id: str


def parse(body: str) -> ScoringRequest:
    """Read a request's body, `{"scoring_job_id": "..."}`; raises `InvalidMessage`, which never quotes the body."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        detail = f"{error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else "out of limits"
        raise InvalidMessage(f"the message's body is not JSON: {detail}; {_expected()}") from None
    if not isinstance(content, dict):
        raise InvalidMessage(f"the message's body is a JSON {_kind(content)}, not an object; {_expected()}")
    if "scoring_job_id" not in content:
        raise InvalidMessage(f"the message's body has no scoring_job_id; {_expected()}")
    return ScoringRequest(_identifier(content["scoring_job_id"]))


def response(score_result_id: str) -> str:
    """The body of a response."""
    return json.dumps({"score_result_id": score_result_id})


def _identifier(value: object) -> str:
    """An id that can be a key in DynamoDB."""
    if not isinstance(value, str):
        raise InvalidMessage(f"scoring_job_id is a JSON {_kind(value)}, not a string")
    if not value.strip():
        raise InvalidMessage("scoring_job_id is empty")
    if any(not character.isprintable() for character in value):
        raise InvalidMessage("scoring_job_id has control characters or lone surrogates")
    if len(value.encode()) > MAXIMUM_ID_BYTES:
        raise InvalidMessage(f"scoring_job_id is longer than {MAXIMUM_ID_BYTES} bytes")
    return value


def _expected() -> str:
    return 'expected {"scoring_job_id": "..."}'


def _kind(value: object) -> str:
    """JSON's own word for a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names: dict[type, str] = {dict: "object", list: "array", str: "string"}
    return names.get(type(value), "number")
