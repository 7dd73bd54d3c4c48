"""SQS records of an event source or a pipe: parse them into messages, and answer with `batchItemFailures`.

Pure functions. Format: Lambda Developer Guide, "Using Lambda with Amazon SQS"; EventBridge User Guide, "Amazon Simple
Queue Service as a source" (the same records, as a bare list) and "Partial batch failure" (the same answer).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handler import message_attributes, tracing_header
from handler.exceptions import InvalidEvent
from handler.message import Message
from handler.outcome import MessageOutcome


def parse_messages(records: Iterable[Mapping[str, Any]]) -> list[Message]:
    """Return the messages of SQS records, in their order; raises `InvalidEvent` for a malformed record."""
    try:
        return [_parse_record(record) for record in records]
    except (KeyError, TypeError, ValueError) as error:
        detail = f"missing {error}" if isinstance(error, KeyError) else str(error)
        raise InvalidEvent(f"SQS event: a record is malformed: {detail}") from None


def create_batch_response(
    messages: Sequence[Message], outcomes: Iterable[MessageOutcome]
) -> dict[str, list[dict[str, str]]]:
    """Return the response for `ReportBatchItemFailures`.

    Lists, in the order of `messages`, each one that has no outcome or whose outcome leaves it on the queue. A batch
    that failed entirely is answered like any other: as a failed invocation it would count against the function, which
    may be well while its jobs are not, and the reasons are on the jobs.
    """
    done = {outcome.message.message_id for outcome in outcomes if outcome.disposition.deletes_message}
    failed = [message.message_id for message in messages if message.message_id not in done]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _parse_record(record: Mapping[str, Any]) -> Message:
    attributes = record.get("attributes") or {}
    arn = str(record["eventSourceARN"])
    sent = attributes.get("SentTimestamp")
    return Message(
        message_id=str(record["messageId"]),
        body=str(record["body"]),
        receipt_handle=str(record["receiptHandle"]),
        queue=arn,
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        # Standard queues may carry group ids too (fair queues), but do not keep their order.
        group=attributes.get("MessageGroupId") if arn.endswith(".fifo") else None,
        sent=float(sent) / 1000 if sent else None,
        sender_trace_id=tracing_header.parse_trace_id(attributes.get(tracing_header.MESSAGE)),
        attributes=message_attributes.parse(record.get("messageAttributes")),
    )
