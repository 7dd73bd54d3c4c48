"""Scored rows as CSV, JSONL or Parquet; a file appears whole or not at all."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from plexus.exceptions import InvalidData, naming

FORMATS = ("csv", "jsonl", "parquet")
PARTS = ("", " confidence", " explanation", " error")
GROUP = 4096


def format_of(path: Path, named: str | None) -> str:
    """The format by name, else by the file's ending. Raises InvalidData."""
    found = named or path.suffix.casefold().removeprefix(".").replace("ndjson", "jsonl")
    if found not in FORMATS:
        raise InvalidData(f"{path}: unknown kind of file; name it {', '.join('.' + each for each in FORMATS)}")
    return found


def columns(scores: Sequence[str]) -> list[str]:
    """The columns of a table: row, id, and four for each score. Raises InvalidData for two of one name."""
    made = ["row", "id", *(score + part for score in scores for part in PARTS)]
    twice = sorted({repr(name) for name in made if made.count(name) > 1})
    if twice:
        raise InvalidData(
            f"two columns would have the name {', '.join(twice)}: write .jsonl, or name the scores otherwise"
        )
    return made


def flat(row: Mapping[str, Any], scores: Sequence[str]) -> dict[str, Any]:
    """One row of a table: value, confidence, explanation and error of each score."""
    made: dict[str, Any] = {"row": row["row"], "id": row["id"]}
    for score in scores:
        found = row["results"][score]
        values = (found.get("value"), found.get("confidence"), found.get("explanation"), _error(found))
        made |= {score + part: value for part, value in zip(PARTS, values, strict=True)}
    return made


def write(path: Path, form: str, rows: Iterable[Mapping[str, Any]], scores: Sequence[str]) -> None:
    """Writes all rows beside the file, then gives it its name."""
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    try:
        with naming(path):
            if form == "parquet":
                _parquet(half, rows, scores)
            else:
                with half.open("w", encoding="utf-8", newline="") as file:
                    stream(file, form, rows, scores)
            half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def stream(file: TextIO, form: str, rows: Iterable[Mapping[str, Any]], scores: Sequence[str]) -> None:
    """Writes rows as they come, as CSV or JSONL."""
    if form == "jsonl":
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    writer = csv.DictWriter(file, columns(scores), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(flat(row, scores))


def _error(found: Mapping[str, Any]) -> str | None:
    return f"{found['error']}: {found['message']}" if "error" in found else None


def _parquet(path: Path, rows: Iterable[Mapping[str, Any]], scores: Sequence[str]) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InvalidData(f"{path}: writing Parquet needs the package pyarrow; write .csv or .jsonl instead") from None
    kinds = {"row": pyarrow.int64(), **{score + PARTS[1]: pyarrow.float64() for score in scores}}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in columns(scores)])
    with parquet.ParquetWriter(path, schema) as writer:
        for group in _groups(flat(row, scores) for row in rows):
            writer.write_table(pyarrow.Table.from_pylist(group, schema))


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(islice(rows, GROUP)):
        yield group
