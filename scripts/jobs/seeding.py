"""Write the records that a scoring job needs: account, scorecard, scores, versions, items, and the job.

Ids are derived from the names, so that writing the same records again is idempotent.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handler import attribute_values
from nix.oci.digest import DIGEST, encoded, sha256

from ..aws import dynamodb
from ..aws.backoff import generate_pauses
from ..aws.clients import Aws
from ..checkout.layout import ARTIFACTS
from ..console.errors import NotFound, OperationFailed
from ..console.text import format_utc_now
from .item_files import Item

if TYPE_CHECKING:
    from plexus.scorecard import Score, Scorecard

    from ..aws.stage import Stage

BATCH = 25  # records of a call; BatchWriteItem's maximum
LARGE_BYTES, LARGE_METADATA_BYTES = 300_000, 60_000  # DynamoDB rejects records above 409,600 bytes
THREADS = 8
_IDS = uuid.UUID("0c7f4f0e-3a0b-5d0e-8f55-5f6a4c6f2f11")  # namespace of derived ids; must never change


@dataclass(frozen=True)
class Job:
    """A scoring job: one item, one score."""

    id: str
    item: Item
    score: str


@dataclass(frozen=True)
class Card:
    """A scorecard and its YAML."""

    text: str
    scorecard: Scorecard

    def names(self, selected: Sequence[str] = ()) -> list[str]:
        """Return the names of the chosen scores (default: all enabled ones); NotFound for an unknown one.

        Names are spelled as in the card, chosen ones in the order of `selected`.
        """
        from plexus.exceptions import UnknownScore

        all_scores = self.scorecard.scores
        try:
            return [self.scorecard.find(name).name for name in selected] or [
                score.name for score in all_scores if not score.configuration.disabled
            ]
        except UnknownScore as error:
            raise NotFound(str(error), f"name one of: {', '.join(score.name for score in all_scores)}") from None

    def list_unpublished_scores(self, names: Sequence[str]) -> list[str]:
        """Return the scores, dependencies included, whose model or cassette has no digest: no worker could run them.

        In the card's order. Follows dependencies of any depth.
        """
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


def derive_id(*parts: str) -> str:
    """Return the id derived from these names."""
    return str(uuid.uuid5(_IDS, "\n".join(parts)))


def read_card(path: Path) -> Card:
    """Read a scorecard; OperationFailed with every problem in the file.

    The file must be UTF-8. The text is kept as it is in the file, comments included: its digest decides the version.
    """
    import plexus

    try:
        return Card(path.read_text(encoding="utf-8"), plexus.load_file(path))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        next_step = "name a scorecard: --scorecard FILE (make: CARD=…)"
        raise OperationFailed(f"cannot read {path}: {why}", next_step) from None
    except plexus.PlexusError as error:
        raise OperationFailed(str(error), f"python -m plexus lint {path}") from None


def publish_artifacts(aws: Aws, card: Card, folder: Path = ARTIFACTS) -> list[str]:
    """Upload the scorecard's artifacts that are not in the stage's bucket; return their digests. Idempotent.

    Digests are sorted. NotFound if one is not in `folder`; those before it may have been uploaded by then.
    """
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


def find_account_id(aws: Aws) -> str:
    """Return the id of the account with the stage's key: the existing one, else the derived one.

    OperationFailed if there are two: the worker takes no job while its account is ambiguous.
    """
    key, ids = aws.stage.account_key, dynamodb.find_accounts(aws)
    if len(ids) > 1:
        raise OperationFailed(
            f"table {aws.stage.table('Account')}: got {len(ids)} accounts with key {key!r}, expected 1: "
            f"{', '.join(ids)}",
            "remove the wrong ones: the worker takes no job while there are two",
        )
    return ids[0] if ids else derive_id("account", key)


def seed_scorecard(aws: Aws, card: Card) -> dict[str, str]:
    """Write the account, the scorecard, its scores and their versions; return score ids by name.

    Ids are derived from the keys, names and the text, so that the same card writes the same records, and an edited one
    adds versions. Scores are written last, after the versions that they name: a worker never reads a score whose
    version is missing. An existing account is left as it is.
    """
    stage, key = aws.stage, card.scorecard.key
    account, scorecard = find_account_id(aws), derive_id("scorecard", stage.account_key, key)
    version = derive_id("version", scorecard, card.text)
    scores = {score.name: derive_id("score", scorecard, score.name) for score in card.scorecard.scores}
    now = format_utc_now()
    if account == derive_id("account", stage.account_key):
        _put_new(aws, "Account", {"id": account, "name": stage.account_key, "key": stage.account_key})
    _put(aws, "Scorecard", [{"id": scorecard, "accountId": account, "key": key, "name": card.scorecard.name}])
    _put(
        aws,
        "ScoreVersion",
        [
            {"id": derive_id(version, score), "scoreId": score, "configuration": card.text, "createdAt": now}
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
                "championVersionId": derive_id(version, scores[score.name]),
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
    """Write items and a PENDING job for each item and score; an existing job of the same run is not changed.

    `done` is called with 1 for each job.
    """
    scores = seed_scorecard(aws, card)
    account = find_account_id(aws)
    shared = {"accountId": account, "createdAt": format_utc_now()}
    item_ids = {item.id: _item_id(account, item) for item in items}
    _put(aws, "Item", (_item_record(aws, item, item_ids[item.id], shared) for item in items))
    jobs = [
        Job(identity, item, name)
        for item in items
        for name, identity in derive_jobs(aws.stage, account, card, item, names, run).items()
    ]
    shared["scorecardId"] = derive_id("scorecard", aws.stage.account_key, card.scorecard.key)
    records = [_job_record(job, item_ids[job.item.id], scores[job.score], shared) for job in jobs]
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda record: _put_new(aws, "ScoringJob", record), records):
            done(1)
    return jobs


def derive_jobs(stage: Stage, account: str, card: Card, item: Item, names: Sequence[str], run: str) -> dict[str, str]:
    """Return score → id of an item's job in the run; nothing is read or written."""
    scorecard, item_id = derive_id("scorecard", stage.account_key, card.scorecard.key), _item_id(account, item)
    return {name: derive_id("job", run, item_id, derive_id("score", scorecard, name)) for name in names}


def _item_id(account: str, item: Item) -> str:
    """Return the id that an item's text and metadata give: a changed item is another, and keeps no older result."""
    from plexus.text import hash_value

    return derive_id("item", account, item.id, item.text, *([hash_value(item.metadata)] if item.metadata else []))


def _item_record(aws: Aws, item: Item, identity: str, shared: dict[str, str]) -> dict[str, Any]:
    metadata: object = item.metadata or None
    if attribute_values.measure_value(attribute_values.encode(metadata)) > LARGE_METADATA_BYTES:
        metadata = _store(aws, json.dumps(metadata, ensure_ascii=False), f"metadata/{identity}")
    text: object = item.text
    if len(item.text.encode()) > LARGE_BYTES:
        text = _store(aws, item.text, f"texts/{identity}")
    written = {"externalId": item.id, "text": text, "metadata": metadata, "updatedAt": shared["createdAt"]}
    return {"id": identity, **shared, **written}


def _store(aws: Aws, text: str, folder: str) -> dict[str, str | int]:
    """Upload a text that is too large for its record; return the pointer that the worker resolves."""
    data = text.encode()
    digest = sha256(data)
    key = f"{folder}/{encoded(digest)}"
    aws.client("s3").put_object(Bucket=aws.stage.bucket, Key=key, Body=data)
    return {"s3": key, "bytes": len(data), "digest": digest}


def _job_record(job: Job, item_id: str, score_id: str, shared: dict[str, str]) -> dict[str, Any]:
    return {"id": job.id, **shared, "itemId": item_id, "scoreId": score_id, "status": "PENDING", "attempts": 0}


def read_states(aws: Aws, ids: Sequence[str]) -> dict[str, str]:
    """Return the status of each existing job by id."""
    records = dynamodb.get(aws, "ScoringJob", ids, ("status",))
    return {one["id"]: str(one.get("status") or "without a status") for one in records}


def _complete(aws: Aws, table: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a record; in Amplify's tables, with the fields that its API requires."""
    if not aws.stage.is_foreign(table):
        return encode(record)
    now, identity = record.get("createdAt") or format_utc_now(), str(record["id"])
    shared = {"__typename": table, "createdAt": now, "updatedAt": now}
    required: dict[str, dict[str, Any]] = {
        "Item": {"isEvaluation": False},
        "Score": {"type": "LangGraphScore", "externalId": identity, "sectionId": str(record.get("scorecardId"))},
        "Scorecard": {"externalId": identity},
    }
    return encode(shared | required.get(table, {}) | record)


def _put_new(aws: Aws, table: str, record: dict[str, Any]) -> None:
    client = aws.client("dynamodb")
    attributes = _complete(aws, table, record)
    try:
        client.put_item(
            TableName=aws.stage.table(table), Item=attributes, ConditionExpression="attribute_not_exists(id)"
        )
    except client.exceptions.ConditionalCheckFailedException:
        return  # an earlier run wrote it, and a worker may have changed it since


def _put(aws: Aws, table: str, records: Iterable[dict[str, Any]]) -> None:
    client, name, waiting = aws.client("dynamodb"), aws.stage.table(table), iter(records)
    while batch := list(islice(waiting, BATCH)):
        left: Any = {name: [{"PutRequest": {"Item": _complete(aws, table, record)}} for record in batch]}
        waits = generate_pauses(dynamodb.FIRST_PAUSE_S, dynamodb.LONGEST_PAUSE_S)
        while left := client.batch_write_item(RequestItems=left).get("UnprocessedItems"):
            time.sleep(next(waits))


def encode(record: dict[str, Any]) -> dict[str, Any]:
    """Convert a record to DynamoDB's typed attributes, without its None values, as the worker does."""
    return dict(attribute_values.record(record))
