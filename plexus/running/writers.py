"""Write scored rows: as JSON lines with every field, or as tables with four columns for each score."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from plexus.exceptions import InvalidData
from plexus.tables import output

if TYPE_CHECKING:
    from plexus.running.run import ScoredRow

PARTS = ("", " confidence", " explanation", " error")
# JSON escapes control characters below U+0020 itself; terminals also execute those after U+007F.
_UNESCAPED = re.compile("[\x7f-\x9f\ud800-\udfff]")


def name_scores(scores: Sequence[str], kept: Sequence[str]) -> dict[str, str]:
    """Return score → its name in the columns of a table: `NAME (score)` if a kept column has one of its four names."""
    return {score: f"{score} (score)" if any(score + part in kept for part in PARTS) else score for score in scores}


def create_columns(scores: Sequence[str], kept: Sequence[str] = ()) -> dict[str, type]:
    """Return a table's columns and types: row, id, those `kept` of what was scored, and four for each score.

    A kept column named `id` takes the place of the other, whose values it or another kept column has. Raises
    InvalidData if two have one name.
    """
    scores = list(name_scores(scores, kept).values())
    names = ["row", *([] if "id" in kept else ["id"]), *kept, *(score + part for score in scores for part in PARTS)]
    repeated = sorted({repr(name) for name in names if names.count(name) > 1})
    if repeated:
        remedy = "plexus data convert FILE --rename OLD=NEW --output OTHER" if kept else "rename a score"
        raise InvalidData(f"two columns would be named {', '.join(repeated)}. next: write .jsonl, or {remedy}")
    kinds: dict[str, type] = {"row": int, **{score + PARTS[1]: float for score in scores}}
    return {name: kinds.get(name, str) for name in names}


def flatten(row: ScoredRow, scores: Mapping[str, str]) -> dict[str, object]:
    """Return a row of a table: value, confidence, explanation and error of each score; `scores` is score → column.

    A score without a value has its error, `KIND: message`; every other cell that is absent is None.
    """
    cells: dict[str, object] = {"row": row["row"], "id": row["id"], **row.get("columns", {})}
    for score, column in scores.items():
        outcome = row["results"][score]
        error = f"{outcome['error']}: {outcome['message']}" if "error" in outcome else None
        values = (outcome.get("value"), outcome.get("confidence"), outcome.get("explanation"), error)
        cells |= {column + part: value for part, value in zip(PARTS, values, strict=True)}
    return cells


def write(path: Path, form: str, rows: Iterable[ScoredRow], scores: Sequence[str], kept: Sequence[str] = ()) -> None:
    """Write a file of all rows, completely or not at all. Raises InvalidData if two columns have one name."""
    names = create_columns(scores, kept) if form != "jsonl" else {}
    columns = name_scores(scores, kept)
    output.write_file(path, form, names, (flatten(row, columns) for row in rows), map(_format_json, rows))


def stream(file: TextIO, form: str, rows: Iterable[ScoredRow], scores: Sequence[str], kept: Sequence[str] = ()) -> None:
    """Write rows as they are scored, as CSV, TSV or JSON lines. The file stays open.

    Raises InvalidData, before the first line, if two columns have one name.
    """
    if form == "jsonl":
        for line in map(_format_json, rows):
            file.write(line + "\n")
        return
    columns = name_scores(scores, kept)
    output.write_text_table(file, list(create_columns(scores, kept)), (flatten(row, columns) for row in rows), form)


def _format_json(row: ScoredRow) -> str:
    return _UNESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(row, ensure_ascii=False))
