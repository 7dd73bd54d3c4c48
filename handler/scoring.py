"""Scores a claimed job: from its records to the record of its result. Writes nothing but large fields to S3."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from handler.attribute_values import Attributes, record
from handler.exceptions import ForeignRecord, IncompleteJob
from handler.large_fields import POINTER, LargeFields
from handler.original_form import OriginalForm
from handler.outcome import ScoreNames
from handler.records import Job, Provenance, create_result_fields
from handler.scorecard_cache import ScorecardCache
from handler.store import Key, Records, Store
from handler.tables import ITEM, SCORE, SCORE_RESULT, SCORECARD
from plexus import Context, Item, Result, items
from plexus.exceptions import DisabledScore, InvalidData, ItemWithoutText

if TYPE_CHECKING:
    from plexus.artifacts import Artifacts
    from plexus.scorecard import Scorecard


class Score(Protocol):
    """The signature of `plexus.score`."""

    def __call__(self, scorecard: "Scorecard", name: str, item: Item, *, context: Context) -> Result:
        """Return one item's result; raises `PlexusError`."""
        ...


@dataclass(frozen=True)
class ScoringInput:
    """The input for scoring one job. `text` is the item's text, also used to remove it from error messages.

    `external_id` is the item's id in the system that it comes from, or empty.
    """

    job: Job
    scorecard: Mapping[str, Any]
    score: Mapping[str, Any]
    item: Item
    text: str
    external_id: str = ""

    @property
    def version_id(self) -> str:
        """The id of the score's champion version."""
        return str(self.score["championVersionId"])

    @property
    def names(self) -> ScoreNames:
        """The names and ids of scorecard and score; a record without a name has its key's, or its id."""
        card = str(self.scorecard.get("name") or self.scorecard["id"])
        name = str(self.score.get("name") or self.score.get("key") or self.score["id"])
        return ScoreNames(card, self.job.scorecard_id, name, str(self.score["id"]))


@dataclass(frozen=True)
class ScoredJob:
    """A result's record, and the result itself and its score's names for logs and metrics."""

    record: Attributes
    result: Result
    names: ScoreNames


@dataclass(frozen=True)
class Scoring:
    """Scores one job at a time. Thread-safe."""

    store: Store
    large_fields: LargeFields
    scorecards: ScorecardCache
    score: Score
    timestamp: Callable[[], str]
    artifacts: "Artifacts | None" = None
    traced: bool = False
    original_form: OriginalForm | None = None

    def prepare(self, job: Job, records: Records, account_id: str) -> ScoringInput:
        """Return the input for scoring a job.

        Raises `ForeignRecord` or `IncompleteJob` if its records do not belong to the account, do not belong together or
        do not exist, and `DisabledScore` or `ItemWithoutText` if they cannot be scored.
        """
        item = _require_owned(records, (ITEM, job.item_id), account_id)
        scorecard = _require_owned(records, (SCORECARD, job.scorecard_id), account_id)
        score = records.get((SCORE, job.score_id)) if job.score_id else self.store.find_only_score(job.scorecard_id)
        if score is None:
            raise IncompleteJob(f"Score {job.score_id} does not exist")
        if score.get("scorecardId") != job.scorecard_id:
            raise IncompleteJob(f"Score {score['id']} belongs to another scorecard than {job.scorecard_id}")
        if score.get("isDisabled"):
            raise DisabledScore(f"Score {score['id']} is disabled")
        if not score.get("championVersionId"):
            raise IncompleteJob(f"Score {score['id']} has no champion version")
        text = self._read_text(f"Item {job.item_id}: its text", item.get("text"))
        if not text or not text.strip():
            raise ItemWithoutText(f"Item {job.item_id} has no text")
        content_item = self._item(job.item_id, text, item.get(items.METADATA))
        return ScoringInput(job, scorecard, score, content_item, text, str(item.get("externalId") or ""))

    def run(self, prepared: ScoringInput, ends: float) -> ScoredJob:
        """Score, until `ends` on the monotonic clock, and return the result's record. Raises `PlexusError`.

        Large fields are in S3 by then, so that the record fits into DynamoDB.
        """
        result = self.score_input(prepared, ends)
        names = prepared.names
        provenance = Provenance(prepared.job, names.score_id, prepared.version_id)
        fields = create_result_fields(result, provenance, self.timestamp())
        if self.original_form:
            return ScoredJob(self.original_form.convert(fields, prepared.external_id), result, names)
        return ScoredJob(self.large_fields.fit(record(fields)), result, names)

    def score_input(self, prepared: ScoringInput, ends: float) -> Result:
        """Score, until `ends` on the monotonic clock, and write nothing. Raises `PlexusError`."""
        version_id = prepared.version_id
        scorecard = self.scorecards.get(version_id, lambda: self._configuration(version_id))
        context = Context(deadline=ends, artifacts=self.artifacts, traced=self.traced)
        return self.score(scorecard, prepared.names.score, prepared.item, context=context)

    def _item(self, item_id: str, text: str, metadata: object) -> Item:
        """Return the item of a record; large metadata is the JSON text of the S3 object that a pointer names."""
        if isinstance(metadata, Mapping) and metadata.keys() == POINTER:
            metadata = self.large_fields.read_text(metadata)
        try:
            return items.from_record(text, metadata)
        except InvalidData as error:
            raise IncompleteJob(f"Item {item_id}: {error}") from None

    def _read_text(self, name: str, content: object) -> str | None:
        """Return a field's text, from S3 if it is large; raises `IncompleteJob` if it can be neither."""
        if content is not None and not isinstance(content, (str, Mapping)):
            raise IncompleteJob(f"{name} is {items.describe(content)}, expected a string")
        return self.large_fields.read_text(content)

    def _configuration(self, version_id: str) -> str:
        version = self.store.score_version(version_id)
        name = f"ScoreVersion {version_id}: its configuration"
        text = self._read_text(name, version.get("configuration")) if version else None
        if not text:
            raise IncompleteJob(f"ScoreVersion {version_id} does not exist or has no configuration")
        return text


def record_keys(job: Job) -> list[Key]:
    """Return the keys of the records to read for a job.

    They include its result: if that exists, it is adopted instead of scoring again.
    """
    wanted = [(ITEM, job.item_id), (SCORECARD, job.scorecard_id), (SCORE, job.score_id), (SCORE_RESULT, job.result_id)]
    return [key for key in wanted if key[1]]


def _require_owned(records: Records, key: Key, account_id: str) -> Mapping[str, Any]:
    """Return a record; raises `IncompleteJob` if it does not exist, `ForeignRecord` if it is not the account's."""
    table, record_id = key
    if not record_id:
        raise IncompleteJob(f"the scoring job names no {table}")
    if key not in records:
        raise IncompleteJob(f"{table} {record_id} does not exist")
    if records[key].get("accountId") != account_id:
        owner = "belongs to another account" if records[key].get("accountId") else "has no accountId"
        raise ForeignRecord(f"{table} {record_id} {owner}")
    return records[key]
