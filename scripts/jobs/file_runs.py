"""Score a table by the deployed workers, and write the file of results that `plexus run` writes.

The jobs in the tables are the journal: their run is named after the texts, the scores and the columns, so that the same
command sends only what is still PENDING, and reads what has ended.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handler.large_fields import LargeFields
from handler.records import COMPLETED, FAILED, PENDING, derive_result_id
from plexus.usage import NO_USAGE

from ..aws import dynamodb
from ..aws.backoff import generate_pauses
from ..aws.clients import Aws
from ..console.errors import FAILED as EXIT_FAILED
from ..console.errors import OperationFailed
from ..console.output import to_json_types
from ..console.progress import Progress, no_progress
from . import seeding, sending
from .item_files import Item, check_storable, refuse

if TYPE_CHECKING:
    from plexus.running.job import FileRun
    from plexus.running.run import OutcomeFields, ScoredRow, Tally
    from plexus.running.texts import TextRow

READ, SEND = 100, 1000  # rows at a time
FIRST_POLL_S, LONGEST_POLL_S = 0.5, 5.0
_ORIGINAL_USAGE = {
    "llm_calls": "calls",
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cached_tokens",
}
_CAPITAL = re.compile("(?<=[a-z])[A-Z]")
#: What `plexus run` says of a row without a text; no job is sent for it.
NO_TEXT: OutcomeFields = {"error": "ItemWithoutText", "message": "the item has no text to score"}


@dataclass(frozen=True)
class FileResult:
    """The jobs of a file that were sent, and the results that were written; `failed` counts failures by score."""

    run: str
    jobs: int
    output: str
    rows: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    action: str = "sent"

    @property
    def exit_code(self) -> int:
        """1 if a score failed for some row, else 0, as `plexus run` exits."""
        return EXIT_FAILED if self.failed else 0


@dataclass(frozen=True)
class QueuedFile:
    """A table whose rows are scored by jobs, one for each row with a text and each score, under the name `run`."""

    aws: Aws
    card: seeding.Card
    file: FileRun
    name: str
    run: str

    def count_jobs(self) -> int:
        """Check that every row can be stored, and return the number of jobs. OperationFailed lists invalid rows.

        Reads the whole file, and AWS not at all. A row without a text counts no job; the results have it with its
        error.
        """
        from plexus.exceptions import InvalidData

        problems: list[str] = []
        texts = 0
        for row in self.file.source.read():
            texts += _has_text(row)
            try:
                check_storable(row.item.metadata)
            except InvalidData as error:
                problems.append(f"row {row.number}: {error}")
        refuse(Path(self.name), problems)
        return texts * len(self.file.scores)

    def send(self, progress: Progress = no_progress) -> int:
        """Write the records of the jobs, and send those that are PENDING; return their number. Idempotent.

        Run, row and score decide a job's id, so that an interrupted run continues: jobs that have ended or are being
        scored are not sent again. Records of SEND rows are written before the next rows are read; messages are sent
        after the last record.
        """
        seeding.publish_artifacts(self.aws, self.card)
        pending: list[str] = []
        rows = (row for row in self.file.source.read() if _has_text(row))
        with progress("writing jobs", None) as advance:
            for chunk in iter(lambda: list(islice(rows, SEND)), []):
                items = list(map(self._to_item, chunk))
                jobs = seeding.seed_jobs(self.aws, self.card, items, self.file.scores, self.run, advance)
                ids = [job.id for job in jobs]
                states = seeding.read_states(self.aws, ids)
                pending += [identity for identity in ids if states.get(identity) == PENDING]
        with progress("sending", len(pending)) as advance:
            return sending.send(self.aws, map(sending.create_body, pending), advance)

    def wait(self, patience_s: float, progress: Progress = no_progress) -> None:
        """Wait until every job has ended. OperationFailed if for `patience_s` seconds none has.

        `patience_s` is since the last job that ended, not since the start. Failed jobs have ended too. Only the first
        READ jobs are polled; all of them once more before it gives up.
        """
        left = [identity for row in self.file.source.read() for identity in self._derive_jobs(row).values()]
        with progress("scoring", len(left)) as advance:
            latest, waits = time.monotonic(), generate_pauses(FIRST_POLL_S, LONGEST_POLL_S)
            while left:
                # Jobs end about in their order: looking at the first ones alone bounds the reads that are billed.
                is_late = time.monotonic() - latest > patience_s
                looked, rest = (left, []) if is_late else (left[:READ], left[READ:])
                waiting = self._list_waiting(looked)
                if len(waiting) < len(looked):
                    advance(len(looked) - len(waiting))
                    left, latest, waits = (
                        waiting + rest,
                        time.monotonic(),
                        generate_pauses(FIRST_POLL_S, LONGEST_POLL_S),
                    )
                elif is_late:
                    raise OperationFailed(
                        f"no job ended for {patience_s:.0f} s; {len(left)} are left",
                        "make doctor; then the same command again, which reads what has ended",
                    )
                else:
                    time.sleep(next(waits))

    def _list_waiting(self, jobs: Sequence[str]) -> list[str]:
        states = seeding.read_states(self.aws, jobs)
        return [identity for identity in jobs if states.get(identity) not in (COMPLETED, FAILED)]

    def write(self, path: Path, form: str) -> Tally:
        """Write the file of results, completely or not at all, and return its counts.

        Rows are in the file's order. `form` is a format of `plexus run --output`. Reads the results of jobs that have
        ended; call it after `wait`.
        """
        from plexus.running import run, writers

        tally = run.Tally()
        rows = self.file.complete(_count(self._read_rows(), tally))
        writers.write(path, form, rows, self.file.scores, self.file.kept_columns)
        return tally

    def _read_rows(self) -> Iterator[ScoredRow]:
        """Yield a row of results for each row of the table, in order."""
        rows = self.file.source.read()
        store = LargeFields(self.aws.client("s3"), self.aws.stage.bucket)
        for chunk in iter(lambda: list(islice(rows, READ)), []):
            jobs = [self._derive_jobs(row) for row in chunk]
            ids = [identity for by_score in jobs for identity in by_score.values()]
            results = {
                one["scoringJobId"]: one
                for one in dynamodb.get(self.aws, "ScoreResult", list(map(derive_result_id, ids)))
            }
            failed = [identity for identity in ids if identity not in results]
            reasons = {
                one["id"]: str(one.get("errorMessage") or "")
                for one in dynamodb.get(self.aws, "ScoringJob", failed, ("errorMessage",))
            }
            for row, by_score in zip(chunk, jobs, strict=True):
                outcomes = {
                    score: read_outcome(results[identity], store.read_text)
                    if identity in results
                    else read_failure(reasons.get(identity, ""))
                    for score, identity in by_score.items()
                }
                yield {
                    "row": row.number,
                    "id": row.id,
                    "results": {score: outcomes.get(score, NO_TEXT) for score in self.file.scores},
                }

    def _to_item(self, row: TextRow) -> Item:
        return Item(row.id or f"{Path(self.name).stem}-{row.number}", row.item.text or "", row.item.metadata)

    def _derive_jobs(self, row: TextRow) -> dict[str, str]:
        """Return score → id of the row's job; empty for a row without a text."""
        if not _has_text(row):
            return {}
        item = self._to_item(row)
        return seeding.derive_jobs(self.aws.stage, self._account, self.card, item, self.file.scores, self.run)

    @cached_property
    def _account(self) -> str:
        return seeding.find_account_id(self.aws)


def read_outcome(record: Mapping[str, Any], load: Callable[[object], str | None]) -> OutcomeFields:
    """Return a ScoreResult's fields as `plexus run` writes them; `load` reads a field that may be a pointer to S3.

    A result in the original's form has its trace as a list, and its usage as far as its cost states it.
    """
    trace = record.get("trace") or {}
    if isinstance(trace, Mapping) and set(trace) == {"s3", "bytes", "digest"}:
        trace = json.loads(load(trace) or "{}")
    metadata = record.get("metadata")
    usage = metadata.get("usage", {}) if isinstance(metadata, Mapping) else {}
    confidence, cost = record.get("confidence"), record.get("cost")
    if isinstance(cost, Mapping):
        usage = {ours: cost[theirs] for theirs, ours in _ORIGINAL_USAGE.items() if cost.get(theirs) is not None}
        cost = cost.get("total_cost")
    return {
        "value": load(record.get("value")),
        "explanation": load(record.get("explanation")),
        "confidence": None if confidence is None else float(confidence),
        "cost": None if cost is None else str(cost),
        "trace": to_json_types(trace),
        "code": record.get("code"),
        "model": record.get("model"),
        "prompt_hash": record.get("promptHash"),
        "configuration_hash": record.get("configurationHash"),
        "engine_version": record.get("engineVersion"),
        "usage": NO_USAGE.as_dict()
        | {_CAPITAL.sub(lambda at: f"_{at[0].lower()}", name): to_json_types(count) for name, count in usage.items()},
    }


def read_failure(reason: str) -> OutcomeFields:
    """Return the error that a FAILED job's message states: `Kind: message`."""
    kind, colon, message = reason.partition(": ")
    if not colon or not kind.isidentifier():
        return {"error": "ScoringFailed", "message": reason or "the job has no result and no reason"}
    return {"error": kind, "message": message}


def _count(rows: Iterator[ScoredRow], tally: Tally) -> Iterator[ScoredRow]:
    for row in rows:
        tally.count(row)
        yield row


def _has_text(row: TextRow) -> bool:
    return bool(row.item.text and row.item.text.strip())


def name_run(identity: Mapping[str, object]) -> str:
    """Return the name of a run: the same for the same texts, scores, engine and columns."""
    from plexus.text import hash_value

    return hash_value(identity)[:16]
