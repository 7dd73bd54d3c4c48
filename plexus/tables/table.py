"""A table of any kind: opened by what its bytes are, described in a line, and read row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from plexus.exceptions import InvalidData, require_packages
from plexus.problems import pluralize
from plexus.tables import encodings, headers, json_rows
from plexus.tables.delimited import Delimited
from plexus.tables.sources import Source, open_source
from plexus.tables.workbooks import Workbook, explain_formula

Row = Mapping[str, object]
_MOST_LINES = 5
#: How a table is written, and where in its file it is: `encoding`, `sheet` and `header_row` of `open_table`.
Layout = Mapping[str, str | None]
_REFUSED = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook of before 2007 (.xls), or one with a password",
    b"%PDF": "a PDF document",
    b"\x28\xb5\x2f\xfd": "a file compressed with zstd",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
}


@dataclass(frozen=True)
class Table:
    """Rows that can be read several times.

    `name` is what messages call the file. `title` says what was detected, and is empty for UTF-8 CSV with commas, for
    JSON lines and for Parquet, which are read as they are. `hint` is added to the error for a missing column.
    `numbers` has the header's names of columns that are wanted, and named in rows, by number: number → name.
    `formulas` has the columns whose formulas have no stored values: column → first such cell.
    """

    name: str
    source: Source
    title: str
    hint: str
    read: Callable[[], Iterator[Row]]
    list_short: Callable[[], Sequence[int]] = tuple
    list_restored: Callable[[], Sequence[int]] = tuple
    numbers: dict[str, str] = field(default_factory=dict)
    formulas: dict[str, str] = field(default_factory=dict)

    def read_rows(self, limit: int | None = None) -> Iterator[tuple[int, Row]]:
        """Yield (number from 1, row) of all rows, or of the first `limit`. Raises InvalidData with the place."""
        yield from enumerate(islice(self.read(), limit), start=1)

    def check_formulas(self, columns: Iterable[str]) -> None:
        """Raise InvalidData if one of the columns has formulas without stored values."""
        for column in columns:
            if column in self.formulas:
                raise InvalidData(f"{self.name}: {explain_formula(self.formulas[column])}")

    @property
    def notice(self) -> str:
        """What was detected, in a line, with the rows that were read otherwise; empty if all is as usual."""
        short, restored = self.list_short(), self.list_restored()
        parts = [self.title]
        parts += [f"{pluralize(len(short), 'row')} without all cells, read as empty: {_locate(short)}"] if short else []
        if restored:
            count = pluralize(len(restored), "cell")
            parts.append(f"{count} without the apostrophe that guards against formulas: {_locate(restored)}")
        return "; ".join(filter(None, parts))

    def hash_content(self) -> str:
        """Return the SHA-256 of the file in hex."""
        with self.source.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _locate(lines: Sequence[int]) -> str:
    first = ", ".join(map(str, lines[:_MOST_LINES])) + (", …" if len(lines) > _MOST_LINES else "")
    return f"line{'s' * (len(lines) > 1)} {first}"


@contextmanager
def open_table(
    path: Path,
    wanted: Sequence[str] = (),
    *,
    encoding: str | None = None,
    sheet: str | None = None,
    header_row: str | None = None,
) -> Iterator[Table]:
    """Open CSV of any dialect, JSON, JSON lines, Excel or Parquet, compressed or not; `-` is standard input.

    The bytes decide over the suffix. `wanted` are the columns that will be read: they tell a header from a row, and
    one separator from another. One that names a member of maps, such as `body.text`, becomes a column. `sheet` is one
    of an Excel workbook; by default it is detected. `header_row` is the row of the column names, from 1, as in `5`, or
    with the last row that is none of the table, as in `1-3`; rows above it are ignored. Raises InvalidData if the file
    cannot be read as a table, or has no such sheet or row.
    """
    rows = headers.parse_header_rows(header_row)
    with open_source(path) as source:
        if sheet is not None and not source.read_head().startswith(b"PK\3\4"):
            raise InvalidData(f"{source.name}: got no Excel workbook, expected one with a sheet {sheet!r}")
        table = _create_table(source, wanted, encoding, sheet, rows)
        paths = [name for name in wanted if "." in name]
        yield replace(table, read=partial(_add_members, table.read, paths)) if paths else table


def _add_members(read: Callable[[], Iterator[Row]], paths: Sequence[str]) -> Iterator[Row]:
    """Yield rows with a column for each path that leads through their maps; a row's own column of that name stays."""
    for row in read():
        members = {path: find_member(row, path) for path in paths if path not in row}
        yield {**row, **{path: value for path, value in members.items() if value is not None}}


def find_member(row: Row, path: str) -> object:
    """Return the member of nested maps that a path such as `body.text` names; None if there is none."""
    value: object = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _create_table(
    source: Source, wanted: Sequence[str], encoding: str | None, sheet: str | None, header: headers.HeaderRows | None
) -> Table:
    head = source.read_head()
    kind = next((kind for magic, kind in _REFUSED.items() if head.startswith(magic)), None)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower().startswith((b"<html", b"<!doctype html", b"<?xml", b"<table")):
        kind = "a web page or XML"
    if kind is not None:
        raise InvalidData(f"{source.name}: got {kind}, expected a table. next: save it as .xlsx, .csv or .parquet")
    hint = ". In a file without a header, columns are named by number, from 1"
    for magic, suffix, module in ((b"PAR1", ".parquet", "pyarrow"), (b"PK\3\4", ".xlsx", "openpyxl")):
        if head.startswith(magic) or source.suffix == suffix:
            require_packages("files", f"reading {source.name}", module)
    if head.startswith((b"PAR1", b"PK\3\4")):
        if source.compression:
            raise InvalidData(f"{source.name}: a compressed file of a compressed format. next: decompress it")
        if head.startswith(b"PAR1"):
            _refuse_header(source, header, "a Parquet file names its columns")
            return Table(source.name, source, "", "", partial(_read_parquet, source))
        book = Workbook.detect(source, wanted, sheet, header)
        read = book.read_rows
        return Table(source.name, source, book.title, hint, read, numbers=book.numbers, formulas=book.formulas)
    if source.suffix in (".xlsx", ".xlsm", ".parquet"):
        form = "a Parquet file" if source.suffix == ".parquet" else "an Excel workbook"
        raise InvalidData(f"{source.name}: not {form}: its first bytes are {head[:8]!r}")
    if source.suffix in (".json", ".jsonl", ".ndjson") or (
        source.suffix not in (".csv", ".tsv", ".tab", ".psv", ".txt") and _looks_like_json(head)
    ):
        _refuse_header(source, header, "JSON has a name beside each value")
        return _create_json_table(source, encoding)
    opened = Delimited.detect(source, wanted, encoding, header)
    compression = [source.compression] if source.compression else []
    title = ", ".join([opened.title or "CSV", *compression]) if opened.title or compression else ""
    lists = (lambda: opened.short, lambda: opened.restored)
    return Table(source.name, source, title, hint, opened.read_rows, *lists, opened.numbers)


def _refuse_header(source: Source, header: headers.HeaderRows | None, reason: str) -> None:
    if header is not None:
        raise InvalidData(f"{source.name}: got a row of column names, but {reason}. next: omit the row")


def _create_json_table(source: Source, encoding: str | None) -> Table:
    result = encodings.detect(source, encoding)
    is_lines = source.suffix in (".jsonl", ".ndjson") or json_rows.is_lines(source, result)
    read = json_rows.read_lines if is_lines else json_rows.read_document
    unusual = [] if result.is_usual else [result.title]
    unusual += [source.compression] if source.compression else []
    title = ", ".join([("JSON lines" if is_lines else "JSON"), *unusual]) if unusual else ""
    return Table(source.name, source, title, "", partial(read, source, result))


def _looks_like_json(head: bytes) -> bool:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return text.startswith(b"{") or (text.startswith(b"[") and text[1:].lstrip().startswith(b"{"))


def _read_parquet(source: Source) -> Iterator[Row]:
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(source.path) as file:
            names = file.schema_arrow.names
            if repeated := sorted({repr(name) for name in names if names.count(name) > 1}):
                listed = ", ".join(repeated)
                raise InvalidData(f"{source.name}: repeated column names: {listed}; expected unique names")
            for batch in file.iter_batches(batch_size=1024):
                yield from batch.to_pylist(maps_as_pydicts="strict")
    # A map with a repeated key, and a type or a time that Python does not have.
    except (KeyError, NotImplementedError, OverflowError) as error:
        raise InvalidData(f"{source.name}: a value that cannot be read: {error}") from None
    except (OSError, ValueError) as error:
        raise InvalidData(f"{source.name}: not a Parquet file: {error}") from None
