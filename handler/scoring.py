"""From a claimed job and its records to the record of its result; no writes but of parts too large for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from handler.catalogue import Catalogue
from handler.exceptions import IncompleteJob, OtherAccount
from handler.objects import Objects
from handler.records import Job, Provenance, result_record
from handler.store import ITEM, SCORE, SCORE_RESULT, SCORECARD, Key, Records, Store
from handler.values import Attributes
from plexus import Context, Item, Result
from plexus.exceptions import DisabledScore, ItemWithoutText

if TYPE_CHECKING:
    from plexus.artifacts import Artifacts
    from plexus.scorecard import Scorecard


class Score(Protocol):
    """`plexus.score`."""

    def __call__(self, scorecard: "Scorecard", name: str, item: Item, *, context: Context) -> Result:
        """One item's result, or a `PlexusError`."""
        ...


@dataclass(frozen=True)
class Prepared:
    """What scoring one job needs; `text` is kept to keep it out of errors."""

    job: Job
    score: Mapping[str, Any]
    item: Mapping[str, Any]
    text: str


@dataclass(frozen=True)
class Scored:
    """A result's record, and the result itself for logs and metrics."""

    record: Attributes
    result: Result
    score_name: str


@dataclass(frozen=True)
class Scoring:
    """The scoring of one job at a time; used by several threads at once."""

    store: Store
    objects: Objects
    catalogue: Catalogue
    score: Score
    timestamp: Callable[[], str]
    artifacts: "Artifacts | None" = None

    def prepare(self, job: Job, records: Records, account_id: str) -> Prepared:
        """Check that the job's records belong together, to this account, and can be scored."""
        item = _owned(records, (ITEM, job.item_id), account_id)
        _owned(records, (SCORECARD, job.scorecard_id), account_id)
        score = records.get((SCORE, job.score_id)) if job.score_id else self.store.only_score(job.scorecard_id)
        if score is None:
            raise IncompleteJob(f"Score {job.score_id} does not exist")
        if score.get("scorecardId") != job.scorecard_id:
            raise IncompleteJob(f"Score {score['id']} belongs to another scorecard than {job.scorecard_id}")
        if score.get("isDisabled"):
            raise DisabledScore(f"Score {score['id']} is disabled")
        if not score.get("championVersionId"):
            raise IncompleteJob(f"Score {score['id']} has no champion version")
        text = self.objects.text(item.get("text"))
        if not text or not text.strip():
            raise ItemWithoutText(f"Item {job.item_id} has no text")
        return Prepared(job, score, item, text)

    def run(self, prepared: Prepared, ends: float) -> Scored:
        """Score until `ends` on the monotonic clock, and make the result's record."""
        version_id = str(prepared.score["championVersionId"])
        scorecard = self.catalogue.get(version_id, lambda: self._configuration(version_id))
        name = str(prepared.score.get("name") or prepared.score.get("key") or prepared.score["id"])
        context = Context(deadline=ends, artifacts=self.artifacts)
        item = Item(prepared.text, _plain(prepared.item.get("metadata") or {}))
        result = self.score(scorecard, name, item, context=context)
        made_from = Provenance(prepared.job, str(prepared.score["id"]), version_id)
        return Scored(self.objects.fit(result_record(result, made_from, self.timestamp())), result, name)

    def _configuration(self, version_id: str) -> str:
        version = self.store.score_version(version_id)
        text = self.objects.text(version.get("configuration")) if version else None
        if not text:
            raise IncompleteJob(f"ScoreVersion {version_id} does not exist, or has no configuration")
        return text


def keys(job: Job) -> list[Key]:
    """The records to read for a job. The result is among them: where it exists, nothing is scored again."""
    wanted = [(ITEM, job.item_id), (SCORECARD, job.scorecard_id), (SCORE, job.score_id), (SCORE_RESULT, job.result_id)]
    return [key for key in wanted if key[1]]


def _owned(records: Records, key: Key, account_id: str) -> Mapping[str, Any]:
    """A record that exists and belongs to the account."""
    table, record_id = key
    if not record_id:
        raise IncompleteJob(f"the scoring job names no {table}")
    if key not in records:
        raise IncompleteJob(f"{table} {record_id} does not exist")
    if records[key].get("accountId") != account_id:
        raise OtherAccount(f"{table} {record_id} belongs to another account")
    return records[key]


def _plain(value: Any) -> Any:
    """A record's field with floats for decimals, as templates and processors expect it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value
