"""Rows of CSV, JSONL and Parquet files, one at a time."""

from __future__ import annotations

import codecs
import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidData
from plexus.problems import nearest

Row = Mapping[str, Any]
FORMATS = (".csv", ".jsonl", ".parquet")
LONGEST = 100_000_000
_EXACT = 2**53


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
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except PermissionError:
        raise InvalidData(f"{path}: may not be read") from None


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


def labelled_rows(path: Path, text: str, label: str, limit: int | None = None) -> list[tuple[str, str, Row]]:
    """(text, label, row) of every row, or of the first so many. Raises InvalidData that names those without both."""
    found: list[tuple[str, str, Row]] = []
    empty: list[int] = []
    for number, row in enumerate(islice(rows(path), limit), start=1):
        one, given = (as_text(row, name, path, number).strip() for name in (text, label))
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


def as_text(row: Row, name: str, path: Path, number: int) -> str:
    """A column's value as text, empty for none. Raises InvalidData for lists, maps and bytes.

    JSON and Parquet have numbers and truths: 0 and false are labels as good as any, and a column that also has rows
    without a number says 4.0 for 4.
    """
    value = column(row, name, path, number)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (list, dict, bytes)):
        kind = {list: "a list", dict: "a map", bytes: "bytes"}[type(value)]
        raise InvalidData(f"{path}: row {number}: the column {name!r} holds {kind}; expected text")
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return str(int(value) if whole else value)


def _csv(path: Path) -> Iterator[Row]:
    """Each field stands where it should, or the line is told: a quote left open would swallow all rows after it."""
    csv.field_size_limit(LONGEST)
    with path.open(encoding="utf-8-sig", newline="") as file:
        separator = _separator(file.readline())
        file.seek(0)
        reader, begun = csv.reader(_lines(path, file), strict=True, delimiter=separator), 1
        names: list[str] = []
        try:
            for fields in reader:
                if not names:
                    names = _named(path, fields)
                elif fields:
                    if len(fields) != len(names):
                        raise InvalidData(f"{path}:{begun}: {len(fields)} fields; expected the {len(names)} named")
                    yield dict(zip(names, fields, strict=True))
                begun = reader.line_num + 1
        except csv.Error as error:
            raise InvalidData(f"{path}:{begun}: {_reason(error, separator)}") from None


def _separator(line: str) -> str:
    """Of the line of names: semicolons and tabs are what spreadsheets write where the comma is a decimal mark."""
    return next((each for each in ",;\t" if each in line), ",")


def _lines(path: Path, file: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        if "\0" in line:
            raise InvalidData(f"{path}:{number}: a NUL character; expected UTF-8 text")
        yield line


def _named(path: Path, names: list[str]) -> list[str]:
    twice = sorted({repr(name) for name in names if names.count(name) > 1})
    if twice:
        raise InvalidData(f"{path}:1: columns named twice: {', '.join(twice)}; expected a name of its own for each")
    return names


def _reason(error: csv.Error, separator: str) -> str:
    said = str(error)
    if "unexpected end of data" in said:
        return "the row that begins here has a quote that is never closed"
    if "expected after" in said:
        return f"text after a closing quote; expected {separator!r} (a quote within a field is written twice)"
    if "field limit" in said:
        return f"a field of more than {LONGEST} characters"
    return f"not CSV: {said}"


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line, object_pairs_hook=_once, parse_constant=_refused)
                if "\\u" in line:
                    json.dumps(row, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                raise InvalidData(f"{path}:{number}: half of a surrogate pair; expected text") from None
            except json.JSONDecodeError as error:
                raise InvalidData(f"{path}:{number}:{error.colno}: not JSON: {error.msg}") from None
            except (ValueError, RecursionError) as error:
                raise InvalidData(f"{path}:{number}: not JSON: {error}") from None
            if not isinstance(row, dict):
                raise InvalidData(f'{path}:{number}: expected an object, as in {{"text": "…"}}')
            yield row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} comes twice")
    return made


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _not_utf8(path: Path) -> InvalidData:
    """The first line that is not UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return InvalidData(f"{path}: UTF-16; save it as UTF-8")
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return InvalidData(
                    f"{path}:{number}: not UTF-8 at byte {error.start + 1} of the line; save it as UTF-8"
                )
    return InvalidData(f"{path}: not UTF-8; save it as UTF-8")


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
