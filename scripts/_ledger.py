"""The ledger: one entry for each change of what the alias names, in the stage's Deployment table.

The table's key is `function` and `at`; the entry at "lock" says who is deploying. A stage without the
table still deploys: then only the versions' descriptions tell the history.
"""

from __future__ import annotations

import getpass
import hashlib
import math
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from ._aws import ROOT, Aws, error_code
from ._errors import Conflict, OperationFailed

FORMAT = 1
TABLE = "Deployment"
LOCK = "lock"
LOCK_S = 900


@dataclass(frozen=True)
class Entry:
    """One change. Action is deploy, config, rollback, canary or canary-back; digests are of images."""

    at: str
    action: str
    version: str
    digest: str
    previous_version: str
    previous_digest: str
    commit: str
    configuration: str
    locks: str
    who: str
    note: str = ""


def write(aws: Aws, entry: Entry) -> bool:
    """Add an entry; return whether the stage has a ledger at all."""
    item = {"function": {"S": aws.stage.function.name}, "format": {"N": str(FORMAT)}}
    item |= {key: {"S": value} for key, value in asdict(entry).items()}
    with _maybe_absent() as outcome:
        aws.client("dynamodb").put_item(TableName=aws.stage.table(TABLE), Item=item)
        outcome.append(True)
    return bool(outcome)


def entries(aws: Aws, limit: int = 20) -> list[Entry] | None:
    """Return the last entries, the newest first; None when the stage has no ledger."""
    found: list[dict[str, Any]] = []
    with _maybe_absent() as outcome:
        answer = aws.client("dynamodb").query(
            TableName=aws.stage.table(TABLE),
            KeyConditionExpression="#f = :f AND #at < :lock",
            ExpressionAttributeNames={"#f": "function", "#at": "at"},
            ExpressionAttributeValues={":f": {"S": aws.stage.function.name}, ":lock": {"S": LOCK}},
            ScanIndexForward=False,
            Limit=limit,
            ConsistentRead=True,
        )
        found = answer["Items"]
        outcome.append(True)
    return [_entry(item) for item in found] if outcome else None


def _entry(item: dict[str, Any]) -> Entry:
    form = int(item.get("format", {}).get("N", "0"))
    if form > FORMAT:
        raise OperationFailed(
            f"the ledger has entries of format {form}; this checkout knows up to {FORMAT}", "update your checkout"
        )
    return Entry(**{f.name: item.get(f.name, {}).get("S", "") for f in fields(Entry)})


@contextmanager
def locked(aws: Aws, longer_s: float = 0) -> Iterator[None]:
    """Hold the stage's deploy lock while the block runs; Conflict names who holds it, and since when.

    A lock that was left behind opens after `LOCK_S` and `longer_s`, the seconds that the block waits on purpose.
    """
    holder = f"{who(aws)}, process {os.getpid()}"
    held = False
    with _maybe_absent():
        _take(aws, holder, LOCK_S + math.ceil(longer_s))
        held = True
    try:
        yield
    finally:
        if held:
            _release(aws, holder)


def _take(aws: Aws, holder: str, seconds: int) -> None:
    client, now = aws.client("dynamodb"), time.time()
    try:
        client.put_item(
            TableName=aws.stage.table(TABLE),
            Item={
                "function": {"S": aws.stage.function.name},
                "at": {"S": LOCK},
                "who": {"S": holder},
                "since": {"N": str(int(now))},
                "until": {"N": str(int(now) + seconds)},
            },
            ConditionExpression="attribute_not_exists(#f) OR #until < :now",
            ExpressionAttributeNames={"#f": "function", "#until": "until"},
            ExpressionAttributeValues={":now": {"N": str(int(now))}},
        )
    except client.exceptions.ConditionalCheckFailedException:
        found = client.get_item(TableName=aws.stage.table(TABLE), Key=_lock_key(aws), ConsistentRead=True).get(
            "Item", {}
        )
        holds = found.get("who", {}).get("S", "somebody")
        since, until = (float(found.get(name, {}).get("N", now)) for name in ("since", "until"))
        raise Conflict(
            f"{holds} is deploying to {aws.stage.name} since {now - since:.0f} s",
            "wait for it to end; a lock that was left behind opens by itself in "
            f"{max(1, (until - now) / 60):.0f} minutes",
        ) from None


def _release(aws: Aws, holder: str) -> None:
    client = aws.client("dynamodb")
    try:
        client.delete_item(
            TableName=aws.stage.table(TABLE),
            Key=_lock_key(aws),
            ConditionExpression="#who = :who",
            ExpressionAttributeNames={"#who": "who"},
            ExpressionAttributeValues={":who": {"S": holder}},
        )
    except client.exceptions.ConditionalCheckFailedException:
        return  # it ran out, and is another's now


def _lock_key(aws: Aws) -> dict[str, Any]:
    return {"function": {"S": aws.stage.function.name}, "at": {"S": LOCK}}


@contextmanager
def _maybe_absent() -> Iterator[list[bool]]:
    from botocore.exceptions import ClientError

    outcome: list[bool] = []
    try:
        yield outcome
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise


def who(aws: Aws) -> str:
    """Return who is acting: the AWS identity, or for the local AWS the user of this machine."""
    if aws.stage.is_local:
        try:
            return f"{getpass.getuser()}@{socket.gethostname()}"
        except (KeyError, OSError):  # a user without a name
            return f"{os.getuid()}@{socket.gethostname()}"
    return str(aws.client("sts").get_caller_identity()["Arn"])


def locks_digest() -> str:
    """Return a short digest of the pinned inputs' locks."""
    total = hashlib.sha256()
    for path in sorted((ROOT / "nix" / "locks").glob("*.lock")):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]
