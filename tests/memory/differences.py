"""Differences between the local AWS and AWS's documentation: programs that show them, and both answers.

The model keeps to AWS. The random programs leave these out.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handler.tables import OUTBOX, SCORE_RESULT, SCORING_JOB
from tests.memory import queue_steps
from tests.memory.queue_steps import REQUESTS, Visibility, receive
from tests.memory.table_programs import OWNERS, Request, request_of
from tests.memory.table_steps import Call, Worker, plain
from tests.memory.twin import Long

CLAIM = Worker("claim", ("job-1", OWNERS[0], "ann", 100.0, 160.0, 0.0))
REFUSED, BROKEN = {"Code": "ValidationException"}, {"Code": "InternalError"}


@dataclass(frozen=True)
class Difference:
    """After the steps of `first`, AWS and the local AWS answer `step` as stated."""

    name: str
    why: str
    first: Sequence[Any]
    step: Any
    aws: object
    local: object


def _claim_attributes() -> Request:
    """Return the attributes that a claim sets."""
    values = request_of(CLAIM)["ExpressionAttributeValues"]
    return {
        "status": values[":to"],
        "leaseOwner": values[":token"],
        "leaseUntil": values[":until"],
        "startedAt": values[":now"],
        "updatedAt": values[":now"],
    }


def _put(table: str, item: Request) -> Call:
    return Call("put_item", {"TableName": table, "Item": item})


def _job(**attributes: Request) -> Request:
    return {"id": {"S": "job-1"}, "accountId": {"S": OWNERS[0]}, "status": {"S": "PENDING"}, **attributes}


@dataclass(frozen=True)
class QueuesDifference(Difference):
    """A difference on queues whose names end with `suffix`."""

    suffix: str = ""


ODD_LEASE = _job(status={"S": "IN_PROGRESS"}, leaseUntil={"S": "soon"})
ODD_COUNT = _job(attempts={"S": "many"})
UNDEFINED = request_of(CLAIM)
UNDEFINED["ExpressionAttributeNames"] = {"#other": "status"}
DELETES = [{"DeleteRequest": {"Key": {"id": {"S": f"job-{number}"}}}} for number in range(26)]
LARGE = {"id": {"S": "large"}, "value": {"S": Long("x" * 409_000)}}

TABLES = [
    Difference(
        "types",
        "a comparison of values of two types does not hold; moto fails in Python",
        [_put(SCORING_JOB, ODD_LEASE)],
        Call("update_item", request_of(CLAIM)),
        {"Code": "ConditionalCheckFailedException", "Item": plain(ODD_LEASE)},
        BROKEN,
    ),
    Difference(
        "undefined",
        "a placeholder that is not defined is refused; moto fails in Python",
        [],
        Call("update_item", UNDEFINED),
        REFUSED,
        BROKEN,
    ),
    Difference(
        "half",
        "an update that is refused changes nothing; moto keeps its assignments when the addition after them fails",
        [_put(SCORING_JOB, ODD_COUNT), CLAIM],
        Call("get_item", {"TableName": SCORING_JOB, "Key": {"id": {"S": "job-1"}}}),
        {"Item": plain(ODD_COUNT)},
        {"Item": plain(ODD_COUNT | _claim_attributes())},
    ),
    Difference(
        "batch",
        "a batch writes up to 25 items; moto takes any number",
        [],
        Call("batch_write_item", {"RequestItems": {OUTBOX: DELETES}}),
        REFUSED,
        {},
    ),
    Difference(
        "size",
        "an item may have 409,600 bytes; moto stops at 405,000",
        [],
        _put(SCORE_RESULT, LARGE),
        {},
        REFUSED,
    ),
]


def _group_message(body: str) -> queue_steps.Call:
    """Return a message of the group."""
    place = {"MessageGroupId": "red", "MessageDeduplicationId": body}
    return queue_steps.Call("send_message", REQUESTS, {"MessageBody": body, **place})


FIRST, SECOND = 0, 1  # receipts
AGAIN = {"ApproximateReceiveCount": "2", "SentTimestamp": "then", "MessageGroupId": "red"}

QUEUES = [
    QueuesDifference(
        "visible",
        "the visibility of a message that is not in flight cannot be changed; LocalStack says that it was",
        [queue_steps.Call("send_message", REQUESTS, {"MessageBody": "a"}), receive(REQUESTS, visibility=0)],
        Visibility((FIRST,), 60),
        {"Failed": [("0", "MessageNotInflight")]},
        {"Successful": [("0", None)]},
    ),
    QueuesDifference(
        "group",
        "a group waits while a message of it is in flight; LocalStack hands out a later one that was given back",
        [_group_message("a"), _group_message("b"), receive(REQUESTS), Visibility((SECOND,), 0)],
        receive(REQUESTS),
        {},
        {"Messages": [(1, hashlib.md5(b"b", usedforsecurity=False).hexdigest(), AGAIN, None)]},
        suffix=".fifo",
    ),
]
