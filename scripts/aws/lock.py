"""The deploy lock: the record at "lock" in the stage's Deployment table.

Times are the server's, from the Date header of its answers: the holder's clock may be wrong. A lock can be taken over
once it has expired, or once its holder, a process of this host, is dead. A rollback takes it over at once. The holder
notices by the lock's token, which changes with each holder.
"""

from __future__ import annotations

import math
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from ..console.errors import Conflict
from ..console.interrupts import defer_interrupts
from ..console.text import format_duration
from . import ledger
from .clients import Aws, make

LOCK_S = 900  # longer than a deploy without a canary takes
SKEW_S = 2.0  # the Date header has whole seconds


@dataclass(frozen=True)
class Holder:
    """The holder of the lock: times in seconds since 1970 by the server's clock, `process` as by `process_id`."""

    token: str
    who: str
    process: str
    since: float
    until: float

    def is_over(self, now: float) -> bool:
        """Return whether the lock has expired, or its holder was a process of this host and has ended."""
        return self.until < now or is_dead(self.process)

    @property
    def stopped_pid(self) -> int | None:
        """Its process, if that is one of this host and is stopped, as by Ctrl-Z; otherwise None."""
        return find_stopped(self.process)

    def compute_age(self, now: float) -> str:
        """Format how long it has held the lock."""
        return format_duration(max(0.0, now - self.since))


@dataclass
class Lock:
    """A held lock; without a ledger there is none, and `token` is empty."""

    aws: Aws
    token: str = ""

    def check(self) -> None:
        """Raise Conflict if another process has taken over the lock: call it before each step that callers notice.

        One consistent read. It narrows the window in which two holders act, and cannot close it.
        """
        if not self.token:
            return
        holder, _ = read(self.aws)
        if holder is None or holder.token != self.token:
            by = f"{holder.who} took it over" if holder else "it was removed (make unlock)"
            raise Conflict(
                f"the deploy lock of stage {self.aws.stage.name} is no longer held: {by}",
                f"{make('status history', self.aws.stage)}, then run it again",
            )


@contextmanager
def hold(aws: Aws, longer_s: float = 0, *, force: bool = False) -> Iterator[Lock]:
    """Hold the stage's deploy lock while the block runs; Conflict, with the holder's name, if another holds it.

    The lock of a holder that vanished expires after LOCK_S plus `longer_s`, the seconds that the block waits by design.
    `force` takes it over from any holder, who notices at its next `check`.
    """
    lock = Lock(aws)
    try:
        with ledger.ignore_absence(), defer_interrupts():
            _take(lock, LOCK_S + math.ceil(longer_s), force=force)
        yield lock
    finally:
        if lock.token:
            with defer_interrupts():
                release(aws, lock.token)


def read(aws: Aws) -> tuple[Holder | None, float]:
    """Return the lock's holder, None if it is free, and the server's time in seconds since 1970.

    The read is consistent. Fields that an older checkout did not write have defaults: the holder is "somebody", and
    both times are now, so that such a lock never counts as expired.
    """
    answer = aws.client("dynamodb").get_item(
        TableName=aws.stage.table(ledger.TABLE), Key=_key(aws), ConsistentRead=True
    )
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    item: Mapping[str, Any] = answer.get("Item", {})
    if not item:
        return None, now
    numbers = [float(item.get(name, {}).get("N", now)) for name in ("since", "until")]
    texts = [str(item.get(name, {}).get("S", "")) for name in ("token", "who", "process")]
    return Holder(texts[0], texts[1] or "somebody", texts[2], *numbers), now


def _take(lock: Lock, seconds: int, *, force: bool) -> None:
    """Write the record. A write whose response was lost is sent again, and then finds the lock held by itself."""
    from botocore.exceptions import BotoCoreError, ClientError

    aws, token = lock.aws, uuid.uuid4().hex
    client = aws.client("dynamodb")
    holder, now = read(aws)
    if holder and not force and not holder.is_over(now):
        raise _conflict(aws, holder, now)
    item: dict[str, Any] = {
        **_key(aws),
        "token": {"S": token},
        "who": {"S": f"{ledger.identify_caller(aws)}, process {os.getpid()}"},
        "process": {"S": process_id(os.getpid())},
        "since": {"N": str(int(now))},
        "until": {"N": str(int(now) + seconds)},
    }
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(#t)"}
    condition["ExpressionAttributeNames"] = {"#t": "token"}
    if holder:  # a lock of an older checkout has no token, and fits the first condition
        condition["ConditionExpression"] += " OR #t = :seen"
        condition["ExpressionAttributeValues"] = {":seen": {"S": holder.token or "none"}}
    try:
        client.put_item(TableName=aws.stage.table(ledger.TABLE), Item=item, **({} if force else condition))
    except client.exceptions.ConditionalCheckFailedException:
        holder, now = read(aws)
        if holder is None or holder.token != token:
            raise _conflict(aws, holder, now) from None
    except client.exceptions.ResourceNotFoundException:
        raise
    except (ClientError, BotoCoreError):
        lock.token = token  # it may have been taken, and is then released
        raise
    lock.token = token


def _conflict(aws: Aws, holder: Holder | None, now: float) -> Conflict:
    if holder is None:
        return Conflict(f"another process has just deployed to {aws.stage.name}", make("status history", aws.stage))
    left = max(1, math.ceil((holder.until - now) / 60))
    return Conflict(
        f"{holder.who} has been deploying to {aws.stage.name} for {holder.compute_age(now)}",
        f"wait for it to end; if it was killed: {make('unlock', aws.stage)} (the lock expires in {left} min)",
    )


def release(aws: Aws, token: str) -> bool:
    """Remove the lock with this token; return whether it was still held.

    Idempotent, and never removes another holder's lock.
    """
    client = aws.client("dynamodb")
    try:
        client.delete_item(
            TableName=aws.stage.table(ledger.TABLE),
            Key=_key(aws),
            ConditionExpression="#token = :token",
            ExpressionAttributeNames={"#token": "token"},
            ExpressionAttributeValues={":token": {"S": token}},
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False  # another process holds it now
    return True


def unlock(aws: Aws) -> Holder | None:
    """Remove the lock of any holder; return the holder, None if it was free."""
    holder, _ = read(aws)
    if holder:
        aws.client("dynamodb").delete_item(TableName=aws.stage.table(ledger.TABLE), Key=_key(aws))
    return holder


def _key(aws: Aws) -> dict[str, Any]:
    return {"function": {"S": aws.stage.function.name}, "at": {"S": ledger.LOCK}}


def process_id(pid: int) -> str:
    """Return an id of a process that is unique across hosts, reboots and reused pids; empty if it is unknown.

    It consists of host name, boot id, pid namespace, pid, and start time in clock ticks since boot. A zombie has none:
    it holds nothing any more.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    namespace = Path("/proc/self/ns/pid").stat().st_ino  # containers share the host's boot id, and not its numbers
    return "" if fields[0] == "Z" else f"{socket.gethostname()} {boot} {namespace} {pid} {fields[19]}"


def is_dead(process: str) -> bool:
    """Return whether a process of this host, as `process_id` wrote it, has ended; False for other hosts' processes."""
    here, words = process_id(os.getpid()).split(), process.split()
    if len(words) != 5 or len(here) != 5 or words[0] != here[0]:
        return False
    if words[1] != here[1]:
        return True  # the host has been restarted since
    return words[2] == here[2] and process_id(int(words[3])) != process


def find_stopped(process: str) -> int | None:
    """Return the number of a process of this host, as `process_id` wrote it, if it is stopped; otherwise None."""
    words = process.split()
    if len(words) != 5 or not words[3].isdecimal() or process_id(int(words[3])) != process:
        return None
    with suppress(OSError):
        state = Path(f"/proc/{words[3]}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        return int(words[3]) if state in ("T", "t") else None
    return None


def read_clock(aws: Aws) -> str:
    """Return the current time as ISO 8601 in UTC, by the server's clock if this host's differs by more than SKEW_S."""
    here = datetime.now(UTC)
    with ledger.ignore_absence():
        skew = read(aws)[1] - here.timestamp()
        if abs(skew) > SKEW_S:
            here += timedelta(seconds=skew)
    return here.isoformat(timespec="microseconds").replace("+00:00", "Z")
