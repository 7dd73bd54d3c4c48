"""Write tables: complete or not at all, never over what is being read, and without formulas or terminal commands."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from plexus.exceptions import InvalidData, require_packages
from plexus.tables.sources import is_same_file
from plexus.whole_file import whole_file

FORMATS = ("csv", "tsv", "jsonl", "parquet", "xlsx")
GROUP = 4096
LONGEST_CELL = 32_767  # characters, in Excel
_MOST_ROWS = 1_048_576  # of a sheet, its header included
_INTEGERS = 10**15  # Excel replaces the digits after the fifteenth by zeros
_HEAD_LENGTH = 1_000_000  # characters in which a file of this project has its mark

# What a reader of workbooks would take for an escaped character.
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_SIGN = re.compile(r"[=+\-@＝＋－＠]")

#: A row to write: column → value.
Cells = Mapping[str, object]


def guard(value: object) -> object:
    """Return a cell that neither a spreadsheet nor a terminal executes; other values than text are unchanged.

    A text that begins like a formula gets an apostrophe before it, unless it is a number or a sign alone, such as the
    label `-`, and so does one that would be such a text, or a sign, without its own apostrophes: `restore` restores
    both. Control characters become U+FFFD, except tabs and line ends.
    """
    if not isinstance(value, str):
        return value
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value)
    bare = text.lstrip("'")
    is_harmless = _NUMBER.fullmatch(bare) or _SIGN.fullmatch(text)
    return f"'{text}" if _FORMULA.match(bare) and not is_harmless else text


def has_controls(value: object) -> bool:
    """Return whether `guard` replaces characters of the cell, which `restore` cannot restore."""
    return isinstance(value, str) and _CONTROL.search(value) is not None


def restore(cell: str) -> str:
    """Return a text without the apostrophe that `guard` put before it; any other text is unchanged.

    A sign alone loses it too: earlier versions guarded signs.
    """
    is_guarded = guard(cell[1:]) == cell or _SIGN.fullmatch(cell[1:]) is not None
    return cell[1:] if cell[:1] == "'" and is_guarded else cell


def format_of(path: Path, name: str | None) -> str:
    """Return the named format, or by default that of the file's suffix, before `.gz`.

    Raises InvalidData, or MissingDependency if the format needs a package that is not installed.
    """
    suffix = Path(path.stem).suffix if is_compressed(path) else path.suffix
    form = name or suffix.casefold().removeprefix(".").replace("ndjson", "jsonl")
    if form not in FORMATS:
        expected = ", ".join(f".{name}" for name in FORMATS)
        raise InvalidData(f"{path}: unknown format: got the suffix {suffix!r}, expected {expected}")
    if form in ("parquet", "xlsx"):  # before the texts are scored
        if is_compressed(path):
            raise InvalidData(f"{path}: {form} is compressed already. next: leave .gz out")
        require_packages("files", f"writing {path}", "pyarrow" if form == "parquet" else "openpyxl")
    return form


def check_output(path: Path, inputs: Iterable[Path]) -> None:
    """Raise InvalidData if writing to the path would destroy one of the inputs, a device or a pipe.

    Links are followed: another name of an input counts as that input. Reads nothing; a file that appears later is not
    noticed.
    """
    for entry in inputs:
        if is_same_file(path, entry):
            raise InvalidData(
                f"{path}: is read by this command and would be replaced. next: another name for the output"
            )
    if path.exists() and not path.is_file():
        raise InvalidData(f"{path}: is not a regular file. next: name a file, or print the results")


def check_cells(form: str, row: int, cells: Cells) -> None:
    """Raise InvalidData if a file of the format cannot have one of the cells of this row."""
    for name, value in cells.items():
        if form == "xlsx" and isinstance(value, str) and len(value) > LONGEST_CELL:
            raise InvalidData(
                f"row {row}: {name}: a text of {len(value)} characters; Excel has {LONGEST_CELL}. next: write .csv"
            )


def check_number_of_rows(form: str, count: int) -> None:
    """Raise InvalidData if a file of the format cannot have so many rows."""
    if form == "xlsx" and count >= _MOST_ROWS:
        raise InvalidData(f"got {count} rows, expected at most Excel's {_MOST_ROWS - 1}. next: write .csv")


def check_replaced(path: Path, *, replace: bool, mark: str = "") -> None:
    """Raise InvalidData for an existing file, unless `replace`, or it is empty or has the mark of what replaces it.

    Only the first `_HEAD_LENGTH` characters are searched for the mark.
    """
    if replace or not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        start = file.read(_HEAD_LENGTH)
    if start and (not mark or mark not in start):
        raise InvalidData(f"{path}: exists, and this command did not write it. next: --replace, or another name")


def write_file(path: Path, form: str, columns: Mapping[str, type], rows: Iterable[Cells], lines: Iterable[str]) -> None:
    """Write a table in one of FORMATS, completely or not at all; `columns` maps each name to int, float or str.

    JSON lines are written from `lines`, which have no line ends, and every other format from `rows`; the iterable that
    the format does not need is not consumed. Raises OSError with the name of the file.
    """
    with whole_file(path) as half:
        if form == "parquet":
            write_parquet(half, columns, rows)
        elif form == "xlsx":
            write_workbook(half, list(columns), rows)
        else:
            with open_text(half, path) as file:
                if form == "jsonl":
                    file.writelines(f"{line}\n" for line in lines)
                else:
                    write_text_table(file, list(columns), rows, form)


@contextmanager
def open_text(path: Path, name: Path) -> Iterator[TextIO]:
    """Open a file for UTF-8 text, compressed if it is to have a `name` in .gz; equal texts give equal bytes.

    Not atomic: `path` is a temporary file that the caller renames to `name`.
    """
    with path.open("wb") as file:
        if not is_compressed(name):
            with io.TextIOWrapper(file, "utf-8", newline="") as text:
                yield text
            return
        with (
            gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
            io.TextIOWrapper(packed, "utf-8", newline="") as text,
        ):
            yield text


def write_text_table(file: TextIO, columns: Sequence[str], rows: Iterable[Cells], form: str = "csv") -> None:
    """Write rows as CSV or TSV, as they come: each has a value for every column, and None is an empty cell.

    Names and texts are guarded (`guard`). On a terminal, a carriage return becomes a line end.
    """
    lines = _Lines(file)
    # The parser of csv takes a lone carriage return for the end of a row, and its writer quotes one only if it is part
    # of the line terminator.
    writer = csv.writer(lines, delimiter="\t" if form == "tsv" else ",", lineterminator="\r\n")
    writer.writerow([guard(name) for name in columns])
    for row in rows:
        writer.writerow([guard(row[name]) for name in columns])


class _Lines:
    """A file whose lines end in a line feed alone."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.is_terminal = file, file.isatty()

    def write(self, line: str) -> int:
        line = line.removesuffix("\r\n")
        if self.is_terminal:
            line = line.replace("\r\n", "\n").replace("\r", "\n")
        return self.file.write(line + "\n")


def write_parquet(path: Path, columns: Mapping[str, type], rows: Iterable[Cells]) -> None:
    """Write rows as Parquet; `columns` maps each name to int, float or str.

    An int has 64 bits, and a number in a column of texts is written as a text.
    """
    import pyarrow
    from pyarrow import parquet

    kinds = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    texts = [name for name, kind in columns.items() if kind is str]
    iterator = ({**row, **{name: str(row[name]) for name in texts if row[name] is not None}} for row in rows)
    with parquet.ParquetWriter(path, schema) as writer:
        while group := list(islice(iterator, GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema))


def write_workbook(path: Path, columns: Sequence[str], rows: Iterable[Cells]) -> None:
    """Write rows as an Excel workbook, in which no text is a formula.

    Integers of more than 15 digits are texts. Raises InvalidData for too long a text, and for too many rows.
    """
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("results")

    def cell(name: str, value: object) -> object:
        if isinstance(value, int) and abs(value) >= _INTEGERS:
            value = str(value)
        if not isinstance(value, str):
            return value
        if len(value) > LONGEST_CELL:
            raise InvalidData(f"{name}: a text of {len(value)} characters; Excel has {LONGEST_CELL}. next: write .csv")
        value = _ESCAPED.sub("_x005F_", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value))
        created = WriteOnlyCell(sheet, value)
        created.data_type = "s"
        return created

    try:
        sheet.append([cell(name, name) for name in columns])
        for number, row in enumerate(rows, 2):
            if number > _MOST_ROWS:
                raise InvalidData(f"got more than {_MOST_ROWS - 1} rows; Excel has no more. next: write .csv")
            sheet.append([cell(name, row[name]) for name in columns])
    except BaseException:
        sheet.close()  # its writer waits for more
        raise
    book.save(path)


def is_compressed(path: Path) -> bool:
    """Return whether a file of this name is compressed with gzip."""
    return path.suffix.casefold() == ".gz"
