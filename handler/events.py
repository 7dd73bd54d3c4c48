"""The shapes of events that the function accepts; docs/reference/worker.md has the same table. Pure functions."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from handler.exceptions import UnknownEvent

_FAN_OUT = '{"source": "fanout", "message_body", "receipt_handle", "queue_url"}'
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,40}")
_MAXIMUM_NAMES = 6


class Shape(Enum):
    """A shape of event; the value is how the page and error messages write it."""

    BATCH = ('{"Records": [SQS records]}',)
    PIPE = ("[SQS records]",)
    EMPTY_BATCH = ('{"Records": []}', "[]")
    FAN_OUT = (_FAN_OUT,)
    JOB = ('{"scoring_job_id": "..."}',)
    POLL = ("{}", "null")
    SWEEP = ('{"source": "sweep"}',)
    SMOKE = ('{"source": "smoke"}',)
    SHADOW = ('{"source": "shadow", "scoring_job_id"}',)

    @property
    def is_batch(self) -> bool:
        """Whether the event is answered with `batchItemFailures`."""
        return self in (Shape.BATCH, Shape.PIPE, Shape.EMPTY_BATCH)


_SOURCES = {"fanout": Shape.FAN_OUT, "sweep": Shape.SWEEP, "smoke": Shape.SMOKE, "shadow": Shape.SHADOW}


def recognize_shape(event: object) -> Shape:
    """Return the shape of an event. Raises `UnknownEvent`, which names what the event looks like, never its content.

    Only the outer structure is looked at: a record may still be invalid.
    """
    if event is None or event == {}:
        return Shape.POLL
    if isinstance(event, list):
        return _shape_of_records(event, Shape.PIPE)
    if isinstance(event, Mapping):
        if isinstance(event.get("Records"), list):
            return _shape_of_records(event["Records"], Shape.BATCH)
        source = event.get("source")
        if isinstance(source, str) and source in _SOURCES:
            return _SOURCES[source]
        if "scoring_job_id" in event and "source" not in event:
            return Shape.JOB
        raise UnknownEvent(_refusal(describe_known(event) or _describe_members(event)))
    raise UnknownEvent(_refusal(f"a JSON {'string' if isinstance(event, str) else 'number or boolean'}"))


def read_records(event: Any) -> list[Mapping[str, Any]]:
    """Return the records of a batch: those of an SQS event, or the bare list that an EventBridge pipe sends."""
    return list(event if isinstance(event, list) else event["Records"])


def describe_known(value: Mapping[str, Any]) -> str | None:
    """Describe an object that a known service makes, as an event or as a message's body; None for any other.

    Quotes the names of services and types only, and only if they are short words.
    """
    if isinstance(value.get("Records"), list):
        return _describe_records(value["Records"])
    if "detail-type" in value:
        return f"an EventBridge event of the source {_quote(value.get('source'))}"
    if "TopicArn" in value:
        return f"an SNS message of the type {_quote(value.get('Type'))}"
    if "requestContext" in value or "httpMethod" in value:
        return "an HTTP request of a function URL, an API or a load balancer"
    if "Messages" in value:
        return "a response of ReceiveMessage"
    if "message_body" in value or "receipt_handle" in value:
        return 'a fan-out without "source": "fanout"'
    if "source" in value:
        return f"an event of the unknown source {_quote(value['source'])}"
    return None


def _describe_members(event: Mapping[str, Any]) -> str:
    names = ", ".join(_quote(name) for name in list(event)[:_MAXIMUM_NAMES])
    more = f" and {len(event) - _MAXIMUM_NAMES} more" if len(event) > _MAXIMUM_NAMES else ""
    return f"an object with the members {names}{more}"


def _shape_of_records(records: list[Any], shape: Shape) -> Shape:
    if not records:
        return Shape.EMPTY_BATCH
    if all(isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records):
        return shape
    raise UnknownEvent(_refusal(_describe_records(records)))


def _describe_records(records: list[Any]) -> str:
    """Describe a list that is not one of SQS records only."""
    mappings = [record if isinstance(record, Mapping) else {} for record in records]
    sources = {str(record.get("eventSource") or record.get("EventSource") or "") for record in mappings}
    named = ", ".join(_quote(source) for source in sorted(sources - {""})[:_MAXIMUM_NAMES])
    if named:
        return f"records of {named}{' and others' if '' in sources else ''}"
    return "a list whose items are not SQS records, as a pipe with an input transformer sends it"


def _refusal(what: str) -> str:
    known = ", ".join(text for shape in Shape for text in shape.value)
    return f"event: got {what}, expected one of {known}; next: see the table of events in docs/reference/worker.md"


def _quote(name: object) -> str:
    """Return a name in quotes, or "(not a name)" for anything that may be text from outside."""
    return repr(name) if isinstance(name, str) and _NAME.fullmatch(name) else "(not a name)"
