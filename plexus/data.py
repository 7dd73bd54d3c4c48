"""Rows of CSV, JSONL and Parquet files, one at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidData
from plexus.problems import nearest

Row = Mapping[str, Any]
FORMATS = (".csv", ".jsonl", ".parquet")


def rows(path: Path) -> Iterator[Row]:
    """The file's rows in order. Raises InvalidData, with the line, for what is not a row."""
    readers = {".csv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}
    reader = readers.get(path.suffix.casefold())
    if reader is None:
        raise InvalidData(f"{path}: unknown kind of file; expected {', '.join(FORMATS)}")
    if not path.is_file():
        raise InvalidData(f"{path}: no such file")
    try:
        yield from reader(path)
    except UnicodeDecodeError as error:
        raise InvalidData(f"{path}: not UTF-8 text at byte {error.start}") from None


def column(row: Row, name: str, path: Path, number: int) -> Any:
    """A column's value. Raises InvalidData that names the columns there are."""
    if name not in row:
        known = [str(key) for key in row]
        raise InvalidData(
            f"{path}: row {number} has no column {name!r}{nearest(name, known)}; it has: {', '.join(known)}"
        )
    return row[name]


def labelled(path: Path, text: str, label: str) -> tuple[list[str], list[str]]:
    """Texts and labels; rows without one of them are an error, each named."""
    found = labelled_rows(path, text, label)
    return [one for one, _, _ in found], [given for _, given, _ in found]


def labelled_rows(path: Path, text: str, label: str) -> list[tuple[str, str, Row]]:
    """(text, label, row) of every row. Raises InvalidData that names the rows without one of the two."""
    found: list[tuple[str, str, Row]] = []
    empty: list[int] = []
    for number, row in enumerate(rows(path), start=1):
        one, given = (_as_text(column(row, name, path, number)) for name in (text, label))
        if one and given:
            found.append((one, given, row))
        else:
            empty.append(number)
    if empty:
        shown = ", ".join(map(str, empty[:10])) + (" …" if len(empty) > 10 else "")
        raise InvalidData(f"{path}: {len(empty)} rows lack {text!r} or {label!r}: {shown}")
    if not found:
        raise InvalidData(f"{path}: no rows")
    return found


def _as_text(value: Any) -> str:
    """JSON and Parquet have numbers and truths: 0 and false are labels as good as any."""
    return "" if value is None else str(value).strip()


def _csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(100_000_000)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            if None in row:
                raise InvalidData(
                    f"{path}:{reader.line_num}: more fields than the {len(reader.fieldnames or [])} named"
                )
            yield row


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InvalidData(f"{path}:{number}: not JSON: {error}") from None
            if not isinstance(row, dict):
                raise InvalidData(f"{path}:{number}: expected an object")
            yield row


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise InvalidData(f"{path}: reading Parquet needs the package pyarrow") from None
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                yield from batch.to_pylist()
    except (OSError, ValueError) as error:
        raise InvalidData(f"{path}: not a Parquet file: {error}") from None
