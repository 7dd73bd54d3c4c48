"""A run over a table: its scores, its processes, and the columns that it writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexus.running import processes, run, writers
from plexus.tables import output

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.running.run import ScoredRow
    from plexus.running.texts import TextFile, TextRow
    from plexus.scorecard import Scorecard


@dataclass(frozen=True)
class FileRun:
    """The texts of a table, the scores to score them with, and `workers` processes; `keep_columns` adds its columns."""

    scorecard: Scorecard
    scores: list[str]
    source: TextFile
    context: Context
    keep_columns: bool
    workers: int

    def create_scorers(self) -> None:
        """Load what the scores need. Raises ScoringFailed that lists the scores that cannot run, with the reasons."""
        run.create_scorers(self.scorecard, self.scores, self.context)

    def score_rows(self, rows: Iterable[TextRow], size: int | None = None) -> Iterator[list[ScoredRow]]:
        """Yield scored rows in chunks, in the order of `rows`."""
        size = size or run.CHUNK
        if self.workers > 1:
            return processes.score_rows(self.scorecard, self.scores, rows, self.context, self.workers, size)
        return run.score_rows(self.scorecard, self.scores, rows, self.context, size)

    def complete(self, rows: Iterable[ScoredRow]) -> Iterator[ScoredRow]:
        """Yield rows, which are ordered by number, as they are written: with the table's columns if they are kept.

        Reads the table once more, alongside: `rows` may leave out rows of the table, and must not go back.
        """
        if not self.keep_columns:
            yield from rows
            return
        table = self.source.table.read_rows()
        for scored in rows:
            row = next(row for number, row in table if number == scored["row"])
            names = self.source.table.numbers
            kept: dict[str, object] = {
                names.get(name, name): _format_cell(row.get(name)) for name in self.source.columns
            }
            yield {**scored, "columns": kept}

    def check_cells(self, form: str) -> None:
        """Raise InvalidData if a file of the format cannot have the rows, or a cell that is written as it is."""
        written = self.source.columns if self.keep_columns else [self.source.id] if self.source.id is not None else []
        output.check_number_of_rows(form, self.source.rows)
        if written and form == "xlsx":
            for number, row in self.source.table.read_rows():
                output.check_cells(form, number, {name: _format_cell(row.get(name)) for name in written})

    @property
    def kept_columns(self) -> tuple[str, ...]:
        """The table's columns that are written."""
        names = self.source.table.numbers
        return tuple(names.get(name, name) for name in self.source.columns) if self.keep_columns else ()

    def list_renamed_scores(self) -> list[str]:
        """Return a note for each score whose columns are not its name, as the table has such a column."""
        named = writers.name_scores(self.scores, self.kept_columns).items()
        return [
            f"columns of the score {score!r}: {name!r}, as the table has such a column"
            for score, name in named
            if score != name
        ]

    @property
    def identity(self) -> dict[str, object]:
        """The inputs that decide the results, as JSON values: a run is resumed only if all of them are the same.

        The table counts by its content, not by its name or its time.
        """
        source = self.source
        return {
            "format": 2,
            **run.describe_run(self.scorecard, self.scores),
            "data": source.table.hash_content(),
            "reading": source.table.title,
            "text": source.text,
            "id": source.id,
        }


def _format_cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
