"""The records that a scoring job needs: account, scorecard, scores with their version, items, and the job itself.

Ids are derived from what they name, so that writing the same again changes nothing.
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _tables
from ._aws import ROOT, Aws
from ._errors import NotFound, OperationFailed
from ._items import Item
from ._text import utc_now

if TYPE_CHECKING:
    from plexus.scorecard import Score, Scorecard

ARTIFACTS = ROOT / "build" / "artifacts"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
BATCH = 25
LARGE_BYTES = 300_000  # of a text; a record of more than 409,600 bytes is refused
THREADS = 8
_IDS = uuid.UUID("0c7f4f0e-3a0b-5d0e-8f55-5f6a4c6f2f11")  # namespace of derived ids; never changed


@dataclass(frozen=True)
class Job:
    """A scoring job: one item, one score."""

    id: str
    item: Item
    score: str


@dataclass(frozen=True)
class Card:
    """A scorecard with the YAML that it was read from."""

    text: str
    scorecard: Scorecard

    def names(self, chosen: Sequence[str] = ()) -> list[str]:
        """Return the names of the chosen scores, all that are not disabled without a choice; NotFound for others."""
        from plexus.exceptions import UnknownScore

        every = self.scorecard.scores
        try:
            return [self.scorecard.find(name).name for name in chosen] or [
                score.name for score in every if not score.configuration.disabled
            ]
        except UnknownScore as error:
            raise NotFound(str(error), f"name one of: {', '.join(score.name for score in every)}") from None

    def unpublished(self, names: Sequence[str]) -> list[str]:
        """The scores among these, and those that they need, whose model or cassette no digest names: none can run."""
        needed: set[str] = set()
        waiting = list(names)
        while waiting:
            score = self.scorecard.find(waiting.pop())
            if score.name not in needed:
                needed.add(score.name)
                waiting += score.depends_on
        return [score.name for score in self.scorecard.scores if score.name in needed and _is_unpublished(score)]


def _is_unpublished(score: Score) -> bool:
    cassette = getattr(score.configuration, "cassette", None)
    lacks_model = getattr(score.configuration, "artifact", "") is None
    return lacks_model or (cassette is not None and not DIGEST.fullmatch(cassette))


def derived(*parts: str) -> str:
    """Return the id of what these parts name."""
    return str(uuid.uuid5(_IDS, "\n".join(parts)))


def read_card(path: Path) -> Card:
    """Return the scorecard in a file; OperationFailed with every problem in it."""
    import plexus

    try:
        return Card(path.read_text(encoding="utf-8"), plexus.load_file(path))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        next_step = "name a scorecard: --scorecard FILE (make: CARD=…)"
        raise OperationFailed(f"cannot read {path}: {why}", next_step) from None
    except plexus.PlexusError as error:
        raise OperationFailed(str(error), f"python -m plexus lint {path}") from None


def publish_artifacts(aws: Aws, card: Card, folder: Path = ARTIFACTS) -> list[str]:
    """Upload the artifacts that a scorecard names and the stage's bucket lacks; return their digests."""
    from plexus.artifacts import FolderArtifacts, S3Artifacts
    from plexus.exceptions import ArtifactMissing

    digests = sorted(set(DIGEST.findall(card.text)))
    store = S3Artifacts(aws.client("s3"), aws.stage.bucket, folder)
    try:
        for digest in digests:
            store.put(FolderArtifacts(folder).get(digest))
    except ArtifactMissing as error:
        raise NotFound(
            str(error), "python -m plexus train CARD.yaml --write build/card.yaml, then enqueue that"
        ) from None
    return digests


def account_id(aws: Aws) -> str:
    """Return the id of the account with the stage's key: the one that is there, else the one that we would write.

    A second account of that key would stop the worker, which takes its jobs from exactly one; so two are an error.
    """
    key, table = aws.stage.account_key, aws.stage.table("Account")
    found = aws.client("dynamodb").query(
        TableName=table,
        IndexName="byKey",
        KeyConditionExpression="#key = :key",
        ExpressionAttributeNames={"#key": "key"},
        ExpressionAttributeValues={":key": {"S": key}},
    )["Items"]
    if len(found) > 1:
        ids = ", ".join(sorted(one["id"]["S"] for one in found))
        raise OperationFailed(
            f"{len(found)} accounts have the key {key!r} in the table {table}, expected one: {ids}",
            "remove those that are not yours: the worker takes no job while there are two",
        )
    return str(found[0]["id"]["S"]) if found else derived("account", key)


def seed_scorecard(aws: Aws, card: Card) -> dict[str, str]:
    """Write account, scorecard, its scores and their version; return score name → score id."""
    stage, key = aws.stage, card.scorecard.key
    account, scorecard = account_id(aws), derived("scorecard", stage.account_key, key)
    version = derived("version", scorecard, card.text)
    scores = {score.name: derived("score", scorecard, score.name) for score in card.scorecard.scores}
    now = utc_now()
    if account == derived("account", stage.account_key):
        _put_new(aws, "Account", {"id": account, "name": stage.account_key, "key": stage.account_key})
    _put(aws, "Scorecard", [{"id": scorecard, "accountId": account, "key": key, "name": card.scorecard.name}])
    _put(
        aws,
        "ScoreVersion",
        [
            {"id": derived(version, score), "scoreId": score, "configuration": card.text, "createdAt": now}
            for score in scores.values()
        ],
    )
    _put(
        aws,
        "Score",
        [
            {
                "id": scores[score.name],
                "scorecardId": scorecard,
                "name": score.name,
                "key": score.key,
                "order": number,
                "championVersionId": derived(version, scores[score.name]),
                "isDisabled": bool(score.configuration.disabled),
            }
            for number, score in enumerate(card.scorecard.scores)
        ],
    )
    return scores


def seed_jobs(
    aws: Aws,
    card: Card,
    items: Sequence[Item],
    names: Sequence[str],
    run: str,
    done: Callable[[int], None] = lambda _: None,
) -> list[Job]:
    """Write items and one PENDING job for each item and score; a job of the same run that is there stays as it is.

    `done` is told of each job that is written.
    """
    scores = seed_scorecard(aws, card)
    account = account_id(aws)
    shared = {"accountId": account, "createdAt": utc_now()}
    item_ids = {item.id: derived("item", account, item.id, item.text) for item in items}
    _put(aws, "Item", (_item_record(aws, item, item_ids[item.id], shared) for item in items))
    jobs = [Job(derived("job", run, item_ids[item.id], scores[name]), item, name) for item in items for name in names]
    shared["scorecardId"] = derived("scorecard", aws.stage.account_key, card.scorecard.key)
    records = [_job_record(job, item_ids[job.item.id], scores[job.score], shared) for job in jobs]
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda record: _put_new(aws, "ScoringJob", record), records):
            done(1)
    return jobs


def _item_record(aws: Aws, item: Item, identity: str, shared: dict[str, str]) -> dict[str, Any]:
    written = {"externalId": item.id, "text": _kept(aws, item.text, identity), "updatedAt": shared["createdAt"]}
    return {"id": identity, **shared, **written}


def _kept(aws: Aws, text: str, identity: str) -> str | dict[str, str | int]:
    """The text as its record holds it: itself, or where it is large the worker's pointer into the stage's bucket."""
    data = text.encode()
    if len(data) <= LARGE_BYTES:
        return text
    digest = hashlib.sha256(data).hexdigest()
    key = f"texts/{identity}/{digest}"
    aws.client("s3").put_object(Bucket=aws.stage.bucket, Key=key, Body=data)
    return {"s3": key, "bytes": len(data), "digest": f"sha256:{digest}"}


def _job_record(job: Job, item_id: str, score_id: str, shared: dict[str, str]) -> dict[str, Any]:
    return {"id": job.id, **shared, "itemId": item_id, "scoreId": score_id, "status": "PENDING", "attempts": 0}


def states(aws: Aws, ids: Sequence[str]) -> dict[str, str]:
    """Return the state of each of these jobs; what is not there is left out."""
    found = _tables.get(aws, "ScoringJob", ids, ("status",))
    return {one["id"]: str(one.get("status") or "without a status") for one in found}


def _put_new(aws: Aws, table: str, record: dict[str, Any]) -> None:
    client = aws.client("dynamodb")
    try:
        client.put_item(
            TableName=aws.stage.table(table), Item=encode(record), ConditionExpression="attribute_not_exists(id)"
        )
    except client.exceptions.ConditionalCheckFailedException:
        return


def _put(aws: Aws, table: str, records: Iterable[dict[str, Any]]) -> None:
    client, name, waiting = aws.client("dynamodb"), aws.stage.table(table), iter(records)
    while batch := list(islice(waiting, BATCH)):
        left = {name: [{"PutRequest": {"Item": encode(record)}} for record in batch]}
        pauses = _tables.pauses()
        while left := client.batch_write_item(RequestItems=left).get("UnprocessedItems"):
            time.sleep(next(pauses))


def encode(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as DynamoDB's typed attributes; an absent value is left out."""
    from boto3.dynamodb.types import TypeSerializer

    write = TypeSerializer().serialize
    return {name: write(value) for name, value in record.items() if value is not None}
