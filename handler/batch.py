"""SQS events ↔ deliveries, rounds and `batchItemFailures`; pure.

In a FIFO queue a group's messages must be done in order: the batch is worked in rounds, the first of each group, then
the second, and a group stops at its first failure. A standard queue's batch is one round.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from handler import tracing
from handler.exceptions import InvalidEvent
from handler.queues import Delivery


class Ending(Enum):
    """What became of one delivery; after the last two its message stays and comes back, after the others it goes."""

    COMPLETED = "completed"
    DUPLICATE = "duplicate"  # the job had its outcome already
    FAILED = "failed"
    DEAD_LETTERED = "dead-lettered"
    REQUEUED = "requeued"  # a fresh copy of the message took its place
    RETRIED = "retried"
    RETURNED = "returned"

    @property
    def message_goes(self) -> bool:
        """Whether the message is done with."""
        return self not in (Ending.RETRIED, Ending.RETURNED)


@dataclass(frozen=True)
class Effort:
    """What a result took: seconds from claim to commit, and the models' usage; `cost` in US dollars."""

    seconds: float = 0.0
    provider_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How one delivery ended. `cause` is a row of the fate table, None where there was no error."""

    delivery: Delivery
    ending: Ending
    scoring_job_id: str | None = None
    cause: str | None = None
    error: str | None = None
    status: int = 200
    detail: str = "processed"
    effort: Effort | None = None


def is_batch(event: object) -> bool:
    """Whether an event comes from an SQS event source."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records)
    )


def deliveries(event: Mapping[str, Any]) -> list[Delivery]:
    """The deliveries of a batch, in the event's order; raises `InvalidEvent` for a record that SQS would not send."""
    try:
        return [_delivery(record) for record in event["Records"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidEvent(f"a record of the SQS event lacks {error}, or it is wrong") from None


def rounds(batch: Sequence[Delivery], work: Callable[[Sequence[Delivery]], Iterable[Outcome]]) -> Iterator[Outcome]:
    """Work the batch round by round; the deliveries of a group after its first failure are not passed on."""
    stopped: set[str] = set()
    for members in _turns(batch):
        ready = [delivery for delivery in members if delivery.group is None or delivery.group not in stopped]
        for outcome in work(ready) if ready else ():
            if not outcome.ending.message_goes and outcome.delivery.group is not None:
                stopped.add(outcome.delivery.group)
            yield outcome


def answer(batch: Sequence[Delivery], outcomes: Iterable[Outcome]) -> dict[str, list[dict[str, str]]]:
    """The event source's answer: whatever has no outcome that lets it go is named, in the batch's order."""
    done = {outcome.delivery.message_id for outcome in outcomes if outcome.ending.message_goes}
    return {
        "batchItemFailures": [
            {"itemIdentifier": delivery.message_id} for delivery in batch if delivery.message_id not in done
        ]
    }


def _turns(batch: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """All ungrouped deliveries with the first of each group, then the second of each group, and so on."""
    left = list(batch)
    while left:
        seen: set[str] = set()
        turn, later = [], []
        for delivery in left:
            if delivery.group is not None and delivery.group in seen:
                later.append(delivery)
            else:
                turn.append(delivery)
            if delivery.group is not None:
                seen.add(delivery.group)
        yield turn
        left = later


def _delivery(record: Mapping[str, Any]) -> Delivery:
    attributes = record.get("attributes") or {}
    arn = str(record["eventSourceARN"])
    sent = attributes.get("SentTimestamp")
    return Delivery(
        message_id=str(record["messageId"]),
        body=str(record["body"]),
        receipt_handle=str(record["receiptHandle"]),
        queue=arn,
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        # A standard queue may carry group ids too (fair queues); they do not order anything there.
        group=attributes.get("MessageGroupId") if arn.endswith(".fifo") else None,
        sent=float(sent) / 1000 if sent else None,
        sender_trace_id=tracing.trace_id(attributes.get(tracing.MESSAGE)),
    )
