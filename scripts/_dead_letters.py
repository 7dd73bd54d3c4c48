"""The dead letters of the request queue: read without loss, sent back to work, or deleted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ._aws import Aws
from ._errors import OperationFailed

HOLD_S = 120  # while they are looked at nobody else receives them
LONGEST_S = 43_200  # that SQS hides a message
BATCH = 10
REDRIVABLE = ("PENDING", "IN_PROGRESS", "FAILED")
MAXIMUM_ID_BYTES = 2048  # of a key in DynamoDB
Say = Callable[[str], None]


@dataclass(frozen=True)
class Letter:
    """One dead letter; `scoring_job_id` is None where the body names no job, `reason` empty where SQS moved it."""

    id: str
    body: str
    reason: str
    sent: str
    receives: int
    scoring_job_id: str | None
    group: str | None = None
    receipt: str = field(default="", repr=False)


@dataclass(frozen=True)
class Redriven:
    """What a redrive did with one letter. Action is `sent`, `would send`, `deleted`, `would delete` or `left`."""

    id: str
    scoring_job_id: str | None
    action: str
    note: str = ""


def letter(message: dict[str, Any]) -> Letter:
    """The letter in one of SQS's messages."""
    attributes = message.get("Attributes", {})
    sent = int(attributes.get("SentTimestamp", "0")) / 1000
    return Letter(
        id=message["MessageId"],
        body=message["Body"],
        reason=message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", ""),
        sent=datetime.fromtimestamp(sent, UTC).isoformat(timespec="seconds"),
        receives=int(attributes.get("ApproximateReceiveCount", "1")),
        scoring_job_id=job_of(message["Body"]),
        group=attributes.get("MessageGroupId"),
        receipt=message["ReceiptHandle"],
    )


def job_of(body: str) -> str | None:
    """The job that a body names; None where it names none, or one that no table could hold."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    job = found.get("scoring_job_id") if isinstance(found, dict) else None
    if not isinstance(job, str) or not job.strip() or not job.isprintable():
        return None
    return job if len(job.encode()) <= MAXIMUM_ID_BYTES else None


@contextmanager
def held(aws: Aws) -> Iterator[list[Letter]]:
    """Every dead letter, hidden from others for the block; those that are still there then are visible again."""
    client, url = aws.client("sqs"), aws.queue_url(aws.stage.queues.request_dead_letters)
    found: dict[str, Letter] = {}
    began = time.monotonic()
    try:
        # On AWS a receive that does not wait asks some of SQS's servers only: it may find nothing where there is much.
        while got := _receive(client, url, wait_s=0 if aws.stage.is_local else 2):
            fresh = {one.id: one for one in map(letter, got)}
            seen_again = fresh.keys() <= found.keys()
            found.update(fresh)
            if seen_again and time.monotonic() - began > HOLD_S:
                break  # what was hidden first is visible again, and would come for ever
        yield sorted(found.values(), key=lambda one: one.sent)
    finally:
        _show_again(client, url, list(found.values()))


def _receive(client: Any, url: str, wait_s: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=BATCH,
        VisibilityTimeout=HOLD_S,
        WaitTimeSeconds=wait_s,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])
    return found


def _show_again(client: Any, url: str, letters: Sequence[Letter]) -> None:
    _hide(client, url, letters, 0)  # what was deleted is refused: no matter


def _hide(client: Any, url: str, letters: Sequence[Letter], seconds: int) -> set[str]:
    """Hide letters for so long from now; return the ids of those that are no longer ours to hide."""
    refused: set[str] = set()
    for start in range(0, len(letters), BATCH):
        batch = letters[start : start + BATCH]
        entries = [
            {"Id": str(number), "ReceiptHandle": one.receipt, "VisibilityTimeout": seconds}
            for number, one in enumerate(batch)
        ]
        answer = client.change_message_visibility_batch(QueueUrl=url, Entries=entries)
        refused |= {batch[int(failed["Id"])].id for failed in answer.get("Failed", [])}
    return refused


def hold_s(count: int, rate: float) -> int:
    """Seconds that so many letters have to stay hidden while they are sent at `rate` a second."""
    return min(LONGEST_S, int(count / rate * 1.5) + HOLD_S)


def chosen(letters: Iterable[Letter], names: Sequence[str], *, several: bool = False) -> list[Letter]:
    """The letters whose message or job has one of the names for an id, or for its beginning; all without names.

    OperationFailed for a name of none, and for the beginning of several ids unless there may be `several`.
    """
    if not names:
        return list(letters)
    known = list(letters)
    found: dict[str, Letter] = {}
    problems = []
    for name in names:
        whole = [one for one in known if name in (one.id, one.scoring_job_id)]
        fitting = whole or [
            one for one in known if one.id.startswith(name) or (one.scoring_job_id or "").startswith(name)
        ]
        found.update({one.id: one for one in fitting})
        if not fitting:
            problems.append(f"no dead letter is called {name}")
        elif not (whole or several) and len({one.scoring_job_id or one.id for one in fitting}) > 1:
            problems.append(f"{len(fitting)} dead letters begin with {name}")
    if problems:
        raise OperationFailed("; ".join(problems), "make dlq lists them with their whole ids")
    return list(found.values())


def redrive(aws: Aws, letters: Sequence[Letter], *, rate: float, dry_run: bool, say: Say) -> list[Redriven]:
    """Set each letter's job back to PENDING, send its message to the request queue, and delete the letter.

    In this order: a stop in between leaves a letter that can be redriven again, never a lost job. At most `rate` a
    second. A letter that names no job, or one that no worker would take, stays: it could only come back. So does one
    that somebody else received since we looked.
    """
    done = []
    url = aws.queue_url(aws.stage.queues.request_dead_letters)
    taken = set() if dry_run else _hide(aws.client("sqs"), url, letters, hold_s(len(letters), rate))
    for number, one in enumerate(letters):
        if number and not dry_run:
            time.sleep(1 / rate)
        if one.id in taken:
            note = "our hold of it ended, or somebody else has received it; run this again"
            done.append(Redriven(one.id, one.scoring_job_id, "left", note))
        else:
            done.append(_redrive_one(aws, one, dry_run))
        say(f"{one.id}: {done[-1].action}: {done[-1].note}")
    return done


def _redrive_one(aws: Aws, one: Letter, dry_run: bool) -> Redriven:
    if one.scoring_job_id is None:
        return Redriven(one.id, None, "left", "its body names no job; delete it, or correct what sends it")
    status = _status(aws, one.scoring_job_id)
    if status in (None, "COMPLETED"):
        note = "there is no such job" if status is None else "the job is COMPLETED"
        return Redriven(one.id, one.scoring_job_id, "left", f"{note}; delete the letter")
    if status not in REDRIVABLE:
        note = f"the job's status is {status!r}, which no worker knows; correct it, or delete the letter"
        return Redriven(one.id, one.scoring_job_id, "left", note)
    if dry_run:
        return Redriven(one.id, one.scoring_job_id, "would send", f"the job is {status}")
    _reset(aws, one.scoring_job_id)
    client, names = aws.client("sqs"), aws.stage.queues
    fifo = {"MessageGroupId": one.group, "MessageDeduplicationId": f"redrive-{one.id}"} if one.group else {}
    client.send_message(QueueUrl=aws.queue_url(names.request), MessageBody=one.body, **fifo)
    client.delete_message(QueueUrl=aws.queue_url(names.request_dead_letters), ReceiptHandle=one.receipt)
    return Redriven(one.id, one.scoring_job_id, "sent", f"the job was {status}")


def _status(aws: Aws, job: str) -> str | None:
    """The job's status as a text, empty where its record has none; None without a record."""
    answer = aws.client("dynamodb").get_item(
        TableName=aws.stage.table("ScoringJob"), Key={"id": {"S": job}}, ConsistentRead=True
    )
    return str(answer["Item"].get("status", {}).get("S", "")) if "Item" in answer else None


def _reset(aws: Aws, job: str) -> None:
    """FAILED → PENDING without its error; a job in any other state is the worker's own affair."""
    client = aws.client("dynamodb")
    try:
        client.update_item(
            TableName=aws.stage.table("ScoringJob"),
            Key={"id": {"S": job}},
            UpdateExpression="SET #status = :pending, attempts = :none REMOVE errorMessage, completedAt",
            ConditionExpression="#status = :failed",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":pending": {"S": "PENDING"}, ":failed": {"S": "FAILED"}, ":none": {"N": "0"}},
        )
    except client.exceptions.ConditionalCheckFailedException:
        return


def delete(aws: Aws, letters: Sequence[Letter], *, dry_run: bool) -> list[Redriven]:
    """Delete letters for good."""
    client, url = aws.client("sqs"), aws.queue_url(aws.stage.queues.request_dead_letters)
    for one in letters if not dry_run else []:
        client.delete_message(QueueUrl=url, ReceiptHandle=one.receipt)
    return [Redriven(one.id, one.scoring_job_id, "would delete" if dry_run else "deleted") for one in letters]
