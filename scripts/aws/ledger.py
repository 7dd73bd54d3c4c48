"""The deployment ledger: one entry for each change of the alias, in the stage's Deployment table.

The table's key is `function` and `at`; the record at "lock" is the deploy lock (`lock`). A stage without the table can
still deploy: its history is then read from the descriptions of the published versions.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from ..checkout import ROOT
from ..console.errors import NotFound, OperationFailed
from .clients import Aws, make, read_error_code

FORMAT = 1
TABLE = "Deployment"
LOCK = "lock"  # sorts after every time
UPDATE = "git pull --ff-only (a newer checkout wrote it), then run it again"


@dataclass(frozen=True)
class Entry:
    """One change of the alias. `action` is deploy, config, rollback or canary-back; digests are image digests."""

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


def write(aws: Aws, entry: Entry, newest: str = "") -> Entry:
    """Append an entry to the stage's ledger, whose newest entry is of the time `newest`; return it as it was written.

    An entry is always the newest: if this host's clock, or that of an earlier writer, is wrong, it gets the time just
    after the last one's.
    """
    if newest >= entry.at:
        entry = replace(entry, at=_after(newest))
    item = {"function": {"S": aws.stage.function.name}, "format": {"N": str(FORMAT)}}
    item |= {key: {"S": value} for key, value in asdict(entry).items()}
    aws.client("dynamodb").put_item(TableName=aws.stage.table(TABLE), Item=item)
    return entry


def read_entries(aws: Aws, limit: int = 20) -> list[Entry] | None:
    """Return the last entries, newest first; None if the stage has no ledger."""
    items = _items(aws, limit)
    return None if items is None else [_entry(item) for item in items]


def _items(aws: Aws, limit: int) -> list[dict[str, Any]] | None:
    results: list[dict[str, Any]] = []
    with ignore_absence() as outcome:
        answer = aws.client("dynamodb").query(
            TableName=aws.stage.table(TABLE),
            KeyConditionExpression="#f = :f AND #at < :lock",
            ExpressionAttributeNames={"#f": "function", "#at": "at"},
            ExpressionAttributeValues={":f": {"S": aws.stage.function.name}, ":lock": {"S": LOCK}},
            ScanIndexForward=False,
            Limit=limit,
            ConsistentRead=True,
        )
        results = answer["Items"]
        outcome.append(True)
    return results if outcome else None


def find_serving(aws: Aws, digest: str) -> Entry | None:
    """Return the last change that served an image or rolled back from it, read by the table's ARN; None without one.

    Any account that the table's resource policy allows may call this, and nothing else of the stage. Raises NotFound
    if the stage has no ledger: whether it has served the image is unknown.
    """
    stage = aws.stage
    pages = (
        aws.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=f"arn:aws:dynamodb:{stage.region}:{stage.account}:table/{stage.table(TABLE)}",
            KeyConditionExpression="#f = :f AND #at < :lock",
            FilterExpression="digest = :d OR (previous_digest = :d AND #action = :rollback)",
            ExpressionAttributeNames={"#f": "function", "#at": "at", "#action": "action"},
            ExpressionAttributeValues={
                ":f": {"S": stage.function.name},
                ":lock": {"S": LOCK},
                ":d": {"S": digest},
                ":rollback": {"S": "rollback"},
            },
            ScanIndexForward=False,
            ConsistentRead=True,
        )
    )
    changes = (_entry(item) for page in pages for item in page["Items"])
    try:
        return find_last(changes)
    except aws.client("dynamodb").exceptions.ResourceNotFoundException:
        table = stage.table(TABLE)
        raise NotFound(f"there is no table {table} in stage {stage.name}", make("infra-deploy", stage)) from None


def read_last(aws: Aws) -> Entry | None:
    """Return the last change of the alias; None without one, or without a ledger."""
    return find_last(read_entries(aws) or ())


def find_last(known: Iterable[Entry]) -> Entry | None:
    """Return the first entry of a change that callers got; None without one."""
    return next((one for one in known if one.action != "canary-back"), None)


def find_beginning(known: Sequence[Entry]) -> Entry | None:
    """Return the change since which the version of the last one has been served; None without a change.

    Entries are newest first. A rollback that only ends a canary leaves the version where it was.
    """
    changes = [entry for entry in known if entry.action != "canary-back"]
    for change, earlier in zip_longest(changes, changes[1:]):
        if change.version != change.previous_version or earlier is None or earlier.version != change.version:
            return change
    return None


def parse_milliseconds(entry: Entry | None) -> int:
    """Return the time of an entry in milliseconds since 1970; 0 without one, or if another writer's is no time."""
    try:
        return int(datetime.fromisoformat(entry.at).timestamp() * 1000) if entry else 0
    except ValueError:
        return 0


def _after(at: str) -> str:
    """Return the time a microsecond after an entry's."""
    try:
        later = datetime.fromisoformat(at) + timedelta(microseconds=1)
    except ValueError:  # an entry by another writer: longer texts sort after it
        return f"{at}+"
    return later.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _entry(item: dict[str, Any]) -> Entry:
    form = int(item.get("format", {}).get("N", "0"))
    if form > FORMAT:
        raise OperationFailed(f"ledger entry: got format {form}, expected at most {FORMAT}", UPDATE)
    return Entry(**{f.name: item.get(f.name, {}).get("S", "") for f in fields(Entry)})


@contextmanager
def ignore_absence() -> Iterator[list[bool]]:
    """Ignore that the stage has no ledger; the block appends True to the list once it has used it.

    The table's absence ends the block where it is noticed. Every other error of the SDK is raised.
    """
    from botocore.exceptions import ClientError

    outcome: list[bool] = []
    try:
        yield outcome
    except ClientError as error:
        if read_error_code(error) != "ResourceNotFoundException":
            raise


def identify_caller(aws: Aws) -> str:
    """Return the caller's AWS identity; in the local stage, user@host."""
    if aws.stage.is_local:
        try:
            return f"{getpass.getuser()}@{socket.gethostname()}"
        except (KeyError, OSError):  # the user id has no name
            return f"{os.getuid()}@{socket.gethostname()}"
    return str(aws.client("sts").get_caller_identity()["Arn"])


def hash_locks() -> str:
    """Return a short digest of all lock files."""
    total = hashlib.sha256()
    for path in sorted((ROOT / "nix" / "locks").glob("*.lock")):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]
