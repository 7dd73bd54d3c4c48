"""Rows of Excel workbooks (.xlsx), read by openpyxl without loading a sheet into memory."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from itertools import islice
from typing import Any

from plexus.exceptions import InvalidData
from plexus.problems import pluralize
from plexus.tables import headers
from plexus.tables.sources import Source

# What a cell shows whose formula failed, or whose lookup found nothing.
_ERRORS = frozenset(
    {
        "#NULL!",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NAME?",
        "#NUM!",
        "#N/A",
        "#GETTING_DATA",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
    }
)
_SHOWN = 5
#: Rows in which column names are looked for below a title.
_TITLE_ROWS = 20
_KINDS = {
    "xl/workbook.bin": "a binary Excel workbook (.xlsb)",
    "content.xml": "an OpenDocument file (.ods)",
    "word/document.xml": "a Word document",
}


@dataclass(frozen=True)
class Workbook:
    """One sheet of a workbook: its name, the number of all sheets, and whether its first row names the columns.

    A `header_row` above 1 is the number of the row that names them; the rows above it, such as a title, are ignored.
    """

    source: Source
    sheet: str
    sheets: int
    has_header: bool
    errors: tuple[str, ...] = ()
    header_row: int = 1
    numbers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def detect(cls, source: Source, wanted: Sequence[str]) -> Workbook:
        """Choose the first sheet whose first row has a wanted column, else the first that has rows of several columns.

        If no first row has one, a sheet is chosen that has all of them in a row below a title. A sheet with a header or
        a title alone has no rows; it is chosen if no sheet has any.

        Raises InvalidData if the file is not a readable .xlsx workbook, or all of its sheets are empty.
        """
        _check(source)
        heads: dict[str, list[str]] = {}
        named: dict[str, bool] = {}
        with_rows: list[str] = []  # those with several columns first: a cover has one
        wide = 0
        with _open(source) as book:
            for sheet in sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible"):
                filled = (row for row in _read_rows(sheet) if any(map(_is_filled, row)))
                if first := next(filled, ()):
                    heads[sheet.title] = [str(cell).strip() for cell in first]
                    rest = list(islice(filled, headers.SAMPLE))
                    named[sheet.title] = headers.is_header(heads[sheet.title], rest, wanted)
                    if rest or not named[sheet.title]:
                        width = max((sum(map(_is_filled, row)) for row in rest), default=0)
                        is_wide = sum(map(_is_filled, first)) >= width > 1
                        with_rows.insert(wide if is_wide else len(with_rows), sheet.title)
                        wide += is_wide
        if not heads:
            raise InvalidData(f"{source.name}: got no rows, expected at least one")
        matching = [title for title, cells in heads.items() if any(name in cells for name in wanted)]
        below = None if matching else _find_header_below(source, list(heads), wanted)
        sheet = below[0] if below else (matching or with_rows or list(heads))[0]
        has_header = bool(below) or named[sheet]
        chosen = cls(source, sheet, len(heads), has_header, header_row=below[1] if below else 1)
        if has_header and not below:
            chosen = replace(chosen, numbers=headers.find_numbers(chosen._read_names(heads[sheet]), wanted))
        chosen._check_formulas()
        return replace(chosen, errors=tuple(chosen._find_errors()))

    @property
    def title(self) -> str:
        """Format and sheet, for people, and the cells that are read as empty."""
        sheet = f", sheet {self.sheet!r} of {self.sheets}" if self.sheets > 1 else ""
        errors = ", ".join(self.errors[:_SHOWN]) + (", …" if len(self.errors) > _SHOWN else "")
        listed = f"; {pluralize(len(self.errors), 'cell')} with an error, read as empty: {errors}" if errors else ""
        header = "" if self.has_header else ", no header"
        header += f", {numbers}" if (numbers := headers.describe_numbers(self.numbers)) else ""
        header += f", column names in row {self.header_row}" if self.header_row > 1 else ""
        return "Excel workbook" + sheet + header + listed

    def read_rows(self) -> Iterator[dict[str, object]]:
        """Yield the rows below the first; rows without anything at the end are none.

        Numbers, booleans and texts keep their types, times are ISO 8601. Raises InvalidData for a formula whose value
        was not stored, and for repeated column names.
        """
        names: list[str] = []
        blank = 0
        with _open(self.source) as book:
            for number, row in enumerate(_read_rows(book[self.sheet]), start=1):
                if number < self.header_row or not any(map(_is_filled, row)):
                    blank += bool(names)
                    continue
                cells = [_normalize_cell(cell) for cell in row]
                if not names:
                    names = self._read_names(cells)
                    if self.has_header:
                        continue
                for _ in range(blank):
                    yield dict.fromkeys(names)
                blank = 0
                yield self._create_row(names, cells, number)

    def _create_row(self, names: Sequence[str], cells: list[object], number: int) -> dict[str, object]:
        if any(_is_filled(cell) for cell in cells[len(names) :]):
            head = "read as the header" if self.has_header else "read as the first text"
            raise InvalidData(
                f"{self.source.name}: sheet {self.sheet!r}, row {number}: got a cell beyond the "
                f"{pluralize(len(names), 'column')} of the first row, {head}. "
                "next: name a column (--text), by which the header below a title is found, or delete the rows above it"
            )
        return dict(zip(names, cells + [None] * (len(names) - len(cells)), strict=False))

    def _read_names(self, cells: Sequence[object]) -> list[str]:
        while cells and not _is_filled(cells[-1]):
            cells = cells[:-1]
        if not self.has_header:
            return [str(number) for number in range(1, len(cells) + 1)]
        names = [
            str(cell).strip() if _is_filled(cell) else f"column {number}" for number, cell in enumerate(cells, start=1)
        ]
        if repeated := sorted({repr(name) for name in names if names.count(name) > 1}):
            raise InvalidData(
                f"{self.source.name}: repeated column names: {', '.join(repeated)}; expected unique names. "
                "next: rename them in the sheet"
            )
        return headers.rename(names, self.numbers)

    def _find_errors(self) -> Iterator[str]:
        """Yield place and error of each cell that shows one, as in `B3 #N/A`."""
        from openpyxl.utils import get_column_letter

        with _open(self.source) as book:
            for number, row in enumerate(_read_rows(book[self.sheet]), start=1):
                for column, cell in enumerate(row, start=1):
                    if isinstance(cell, str) and cell in _ERRORS:
                        yield f"{get_column_letter(column)}{number} {cell}"

    def _check_formulas(self) -> None:
        """Raise InvalidData if no formula of the sheet has a stored value: no program has calculated the workbook."""
        first = 0
        with _open(self.source) as book, _open(self.source, values=False) as written:
            rows = zip(_read_rows(book[self.sheet]), _read_rows(written[self.sheet]), strict=False)
            for number, (values, cells) in enumerate(rows, start=1):
                for value, cell in zip(values, cells, strict=False):
                    if not isinstance(cell, str) or not cell.startswith("="):
                        continue
                    if value is not None:
                        return
                    first = first or number
        if first:
            raise InvalidData(
                f"{self.source.name}: sheet row {first}: a formula without a stored value. "
                "next: open the workbook in a spreadsheet program and save it"
            )


def _find_header_below(source: Source, sheets: Sequence[str], wanted: Sequence[str]) -> tuple[str, int] | None:
    """Return sheet and number of the first row, below titles, that has all wanted columns; None without one.

    Of the default names, which a caller may not mean, none is required beside others.
    """
    required = [name for name in wanted if name not in ("text", "label")] or wanted
    if not wanted or any(name.isdecimal() for name in wanted):
        return None
    with _open(source) as book:
        for sheet in sheets:
            for number, row in enumerate(islice(_read_rows(book[sheet]), _TITLE_ROWS), start=1):
                cells = {str(cell).strip() for cell in row if _is_filled(cell)}
                if len(cells) > 1 and cells.issuperset(required):
                    return sheet, number
    return None


def _normalize_cell(value: object) -> object:
    """Return a cell's value; a day without a time is a day, and an error is not a value."""
    if isinstance(value, str) and value in _ERRORS:
        return None
    return value.date() if isinstance(value, datetime) and value.time() == time() else value


def _is_filled(cell: object) -> bool:
    return cell is not None and cell != ""


def _check(source: Source) -> None:
    """Raise InvalidData with what the archive is, unless it is an .xlsx workbook."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InvalidData(
            f"{source.name}: an Excel workbook or another zip archive, and damaged: {error}. "
            "next: save it again, as .xlsx or as CSV"
        ) from None
    if "xl/workbook.xml" not in names:
        kind = next((kind for name, kind in _KINDS.items() if name in names), "a zip archive")
        raise InvalidData(f"{source.name}: got {kind}, expected a table. next: save it as .xlsx or as CSV")


def _read_rows(sheet: Any) -> Iterator[tuple[object, ...]]:
    """Yield a sheet's rows. The stored size of the sheet is ignored: some programs write a wrong one."""
    sheet.reset_dimensions()
    rows: Iterator[tuple[object, ...]] = sheet.iter_rows(values_only=True)
    return rows


@contextmanager
def _open(source: Source, *, values: bool = True) -> Iterator[Any]:
    """Yield the workbook with values, or with formulas in their place."""
    import openpyxl

    with source.path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles and validations that openpyxl does not know
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=values)
        except Exception as error:  # openpyxl raises whatever the XML leads to
            raise InvalidData(f"{source.name}: not a readable Excel workbook: {type(error).__name__}") from None
        yield book
