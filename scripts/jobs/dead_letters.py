"""The dead letters of the request queue: list, redrive or delete them without losing one."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handler import message_attributes
from handler.message import find_job_id
from handler.message_attributes import MessageAttributes

from ..aws.clients import Aws, make
from ..console.errors import OperationFailed
from ..console.text import pluralize
from .seeding import find_account_id

HOLD_S = 120  # visibility timeout while they are listed
LONGEST_S = 43_200  # SQS's longest visibility timeout
BATCH = 10  # messages of a call; SQS's maximum
REDRIVABLE = ("PENDING", "IN_PROGRESS", "FAILED")
COMPLETED = "COMPLETED"
LEFT = "left"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Letter:
    """A dead letter. `scoring_job_id` is None if the body names no job.

    `reason` is the worker's. It is empty if SQS moved the message, or if the message has no room for it. `attributes`
    are the sender's message attributes.
    """

    id: str
    body: str
    reason: str
    sent: str
    receives: int
    scoring_job_id: str | None
    group: str | None = None
    receipt: str = field(default="", repr=False)
    attributes: MessageAttributes = field(default_factory=dict, repr=False)

    @property
    def has_room(self) -> bool:
        """Whether a reason would have fitted into the message."""
        return message_attributes.has_room_for_reason(self.body, self.attributes)


@dataclass(frozen=True)
class RedriveResult:
    """The result for one letter; `action` is `sent`, `would send`, `deleted`, `would delete` or `left`."""

    id: str
    scoring_job_id: str | None
    action: str
    note: str = ""


def parse_letter(message: Mapping[str, Any]) -> Letter:
    """Parse an SQS message.

    The times are UTC, in whole seconds. `attributes` are the custom ones, without `reason`; SQS's own are the other
    fields. The job's id is None if the body names none.
    """
    attributes = message.get("Attributes", {})
    values = message_attributes.parse(message.get("MessageAttributes"))
    reason = values.pop(message_attributes.REASON, None)
    sent = int(attributes.get("SentTimestamp", "0")) / 1000
    return Letter(
        id=message["MessageId"],
        body=message["Body"],
        reason=reason["StringValue"] if reason else "",
        sent=datetime.fromtimestamp(sent, UTC).isoformat(timespec="seconds"),
        receives=int(attributes.get("ApproximateReceiveCount", "1")),
        scoring_job_id=find_job_id(message["Body"]),
        group=attributes.get("MessageGroupId"),
        receipt=message["ReceiptHandle"],
        attributes=values,
    )


@contextmanager
def held_letters(aws: Aws) -> Iterator[list[Letter]]:
    """Yield every dead letter, oldest first, invisible to other receivers while the block runs.

    Letters that the block does not delete are visible again at its end.
    """
    client, url = aws.client("sqs"), aws.queue_url(aws.stage.queues.request_dead_letters)
    by_id: dict[str, Letter] = {}
    began = time.monotonic()
    try:
        # On AWS short polling samples a subset of SQS's servers, and may return nothing from a full queue.
        while got := _receive(client, url, wait_s=0 if aws.stage.is_local else 2):
            fresh = {one.id: one for one in map(parse_letter, got)}
            seen_again = fresh.keys() <= by_id.keys()
            by_id.update(fresh)
            if seen_again and time.monotonic() - began > HOLD_S:
                break  # the first letters are visible again: the loop would not end
        yield sorted(by_id.values(), key=lambda one: one.sent)
    finally:
        _show_again(client, url, list(by_id.values()))


def _receive(client: Any, url: str, wait_s: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=BATCH,
        VisibilityTimeout=HOLD_S,
        WaitTimeSeconds=wait_s,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])
    return messages


def _show_again(client: Any, url: str, letters: Sequence[Letter]) -> None:
    _hide(client, url, letters, 0)  # SQS rejects deleted letters, which is harmless


def _hide(client: Any, url: str, letters: Sequence[Letter], seconds: int) -> set[str]:
    """Set letters' visibility timeout; return the ids of those whose receipt handle has expired."""
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
    """Return the visibility timeout in seconds for redriving `count` letters at `rate` per second."""
    return min(LONGEST_S, int(count / rate * 1.5) + HOLD_S)


def select(letters: Iterable[Letter], names: Sequence[str], *, several: bool = False) -> list[Letter]:
    """Return the letters whose message or job id is, or starts with, one of `names`; all letters without names.

    OperationFailed for a name that matches no letter, and for a prefix of several ids unless `several` is allowed.
    """
    if not names:
        return list(letters)
    known = list(letters)
    by_id: dict[str, Letter] = {}
    problems = []
    for name in names:
        whole = [one for one in known if name in (one.id, one.scoring_job_id)]
        matches = whole or [
            one for one in known if one.id.startswith(name) or (one.scoring_job_id or "").startswith(name)
        ]
        by_id.update({one.id: one for one in matches})
        if not matches:
            problems.append(f"no dead letter matches {name}")
        elif not (whole or several) and len({one.scoring_job_id or one.id for one in matches}) > 1:
            problems.append(f"{len(matches)} dead letters start with {name}")
    if problems:
        raise OperationFailed("; ".join(problems), "make dlq lists the full ids")
    return list(by_id.values())


def redrive(aws: Aws, letters: Sequence[Letter], *, rate: float, dry_run: bool, say: Say) -> list[RedriveResult]:
    """Reset each letter's job to PENDING, send its message to the request queue, and delete the letter, in this order.

    An interruption leaves letters that can be redriven again, never a lost job. Sends at most `rate` per second.
    Letters without a job that the stage's worker would score are left, since they would fail again: those of other
    accounts' jobs too. So are letters that another receiver has taken meanwhile.
    """
    done = []
    account = find_account_id(aws)
    url = aws.queue_url(aws.stage.queues.request_dead_letters)
    expired = set() if dry_run else _hide(aws.client("sqs"), url, letters, hold_s(len(letters), rate))
    for number, letter in enumerate(letters):
        if number and not dry_run:
            time.sleep(1 / rate)
        if letter.id in expired:
            note = "its visibility timeout expired, or another receiver has it; run this again"
            done.append(RedriveResult(letter.id, letter.scoring_job_id, LEFT, note))
        else:
            done.append(_redrive_one(aws, letter, account, dry_run))
        if done[-1].action != LEFT:
            say(f"{letter.id}: {done[-1].action}: {done[-1].note}")
    for note, left in _group_left(done).items():
        others = f" and {pluralize(len(left) - 1, 'other')}" if len(left) > 1 else ""
        say(f"{left[0].id}{others}: {LEFT}: {note}")
    return done


def _group_left(done: Iterable[RedriveResult]) -> dict[str, list[RedriveResult]]:
    """Return the letters that were left by their note: a broken sender leaves hundreds of the same."""
    groups: dict[str, list[RedriveResult]] = {}
    for result in done:
        if result.action == LEFT:
            groups.setdefault(result.note, []).append(result)
    return groups


def _redrive_one(aws: Aws, letter: Letter, account: str, dry_run: bool) -> RedriveResult:
    job = letter.scoring_job_id
    status, owner = _status_and_account(aws, job)
    remove = make("dlq DELETE=ID", aws.stage)
    if job is None or status in (None, COMPLETED):
        what = "its body names no job" if job is None else f"its job {'is COMPLETED' if status else 'does not exist'}"
        return RedriveResult(letter.id, job, LEFT, f"{what}; next: {make('dlq DELETE=poison', aws.stage)}")
    if owner != account:
        note = f"the job belongs to account {owner!r}, but the stage's account is {account!r}"
        return RedriveResult(letter.id, job, LEFT, f"{note}; enqueue it in that account's stage, or {remove}")
    if status not in REDRIVABLE:
        note = f"the job has the unknown status {status!r}; correct it, or {remove}"
        return RedriveResult(letter.id, job, LEFT, note)
    if dry_run:
        return RedriveResult(letter.id, job, "would send", f"the job is {status}")
    _reset(aws, job, account)
    client, names = aws.client("sqs"), aws.stage.queues
    fifo: Any = {}
    if letter.group:
        fifo = {"MessageGroupId": letter.group, "MessageDeduplicationId": f"redrive-{letter.id}"}
    client.send_message(
        QueueUrl=aws.queue_url(names.request),
        MessageBody=letter.body,
        MessageAttributes=dict(letter.attributes),
        **fifo,
    )
    client.delete_message(QueueUrl=aws.queue_url(names.request_dead_letters), ReceiptHandle=letter.receipt)
    return RedriveResult(letter.id, job, "sent", f"the job was {status}")


def select_poison(aws: Aws, letters: Iterable[Letter]) -> list[Letter]:
    """Return the letters that no redrive helps: they name no job, or one that does not exist or is COMPLETED."""
    return [one for one in letters if _status_and_account(aws, one.scoring_job_id)[0] in (None, COMPLETED)]


def keep(letters: Iterable[Letter], path: Path) -> None:
    """Write letters to a new file, one JSON object a line, with what their senders sent and the reason."""
    names = ("id", "sent", "receives", "reason", "scoring_job_id", "group", "body", "attributes")
    lines = (json.dumps({name: getattr(one, name) for name in names}, default=_encode) for one in letters)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _status_and_account(aws: Aws, job: str | None) -> tuple[str | None, str]:
    """Return the status and account id of a job, empty if its record has none; the status is None without a record."""
    if job is None:
        return None, ""
    answer = aws.client("dynamodb").get_item(
        TableName=aws.stage.table("ScoringJob"), Key={"id": {"S": job}}, ConsistentRead=True
    )
    if "Item" not in answer:
        return None, ""
    status, owner = (str(answer["Item"].get(name, {}).get("S", "")) for name in ("status", "accountId"))
    return status, owner


def _reset(aws: Aws, job: str, account: str) -> None:
    """Reset a FAILED job of the account to PENDING and remove its error; a job in another state is the worker's."""
    client = aws.client("dynamodb")
    try:
        client.update_item(
            TableName=aws.stage.table("ScoringJob"),
            Key={"id": {"S": job}},
            UpdateExpression="SET #status = :pending, attempts = :none "
            "REMOVE errorMessage, completedAt, unfinishedClaims, expiresAt",
            ConditionExpression="accountId = :account AND #status = :failed",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":account": {"S": account},
                ":pending": {"S": "PENDING"},
                ":failed": {"S": "FAILED"},
                ":none": {"N": "0"},
            },
        )
    except client.exceptions.ConditionalCheckFailedException:
        return  # PENDING already, or a worker has it: the message that is sent next does no harm


def delete(aws: Aws, letters: Sequence[Letter], *, dry_run: bool) -> list[RedriveResult]:
    """Delete letters permanently.

    One call for each letter, by the receipt it was listed with. Idempotent: deleting one that is gone succeeds.
    """
    client, url = aws.client("sqs"), aws.queue_url(aws.stage.queues.request_dead_letters)
    for letter in letters if not dry_run else []:
        client.delete_message(QueueUrl=url, ReceiptHandle=letter.receipt)
    return [
        RedriveResult(letter.id, letter.scoring_job_id, "would delete" if dry_run else "deleted") for letter in letters
    ]
