"""Rows of Excel workbooks (.xlsx), read by openpyxl without loading a sheet into memory."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from itertools import islice
from statistics import median_high
from typing import Any

from plexus.exceptions import InvalidData
from plexus.problems import pluralize, suggest
from plexus.tables import headers
from plexus.tables.sources import Source

# What a cell shows whose formula failed, or whose lookup found nothing.
# A character that XML would change or refuse; one of a surrogate pair stays.
_ESCAPED = re.compile(r"_x(?![Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")
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
_MOST_PLACES = 5
_KINDS = {
    "xl/workbook.bin": "a binary Excel workbook (.xlsb)",
    "content.xml": "an OpenDocument file (.ods)",
    "word/document.xml": "a Word document",
}


@dataclass(frozen=True)
class Workbook:
    """One sheet of a workbook: its name, the number of all sheets, and whether its first row names the columns.

    `header_row` is the number of that row; the rows above it, such as a title, are ignored, and so are those below it
    up to `last_row`. Formulas without stored values are read as empty: `formulas` has the columns that have no other
    cells, column → first such cell, and `blanks` the cells of columns that do.
    """

    source: Source
    sheet: str
    sheets: int
    has_header: bool
    errors: tuple[str, ...] = ()
    header_row: int = 1
    numbers: dict[str, str] = field(default_factory=dict)
    formulas: dict[str, str] = field(default_factory=dict)
    blanks: tuple[str, ...] = ()
    last_row: int = 1

    @classmethod
    def detect(
        cls,
        source: Source,
        wanted: Sequence[str],
        sheet: str | None = None,
        header: headers.HeaderRows | None = None,
    ) -> Workbook:
        """Choose the named sheet, else the first that has a wanted column, else the one that is most like a table.

        Column names are in the first filled row that has a wanted one, or in a row below a title that has all of them;
        if no row does, where `headers.find_header` finds them. Most like a table is a sheet with rows of several
        columns before others, a visible one before a hidden one, and one with more filled cells. `header` sets the row
        of the names.

        Raises InvalidData if the file is not a readable .xlsx workbook, all of its sheets are empty, a wanted column
        has only formulas without stored values, no sheet has the name, or the sheet has no such row.
        """
        longest = headers.TITLE_ROWS + headers.SAMPLE + (header.last if header is not None else 0)
        _check(source)
        with _open(source) as book:
            visible = {each.title: each.sheet_state == "visible" for each in book.worksheets}
            samples = {
                title: list(islice(_read_rows(book[title]), longest))
                for title in sorted(visible, key=lambda title: not visible[title])
                if sheet is None or title == sheet
            }
        if not samples:
            listed = ", ".join(map(repr, visible))
            raise InvalidData(f"{source.name}: no sheet {sheet!r}{suggest(str(sheet), visible)}; sheets: {listed}")
        filled = {title: rows for title, rows in samples.items() if any(any(map(_is_filled, row)) for row in rows)}
        if not filled:
            where = "" if sheet is None else f"sheet {sheet!r}: "
            raise InvalidData(f"{source.name}: {where}got no rows, expected at least one")
        title, index = _find_named(filled, wanted) or _find_likely(filled, visible)
        index = index if header is None else header.names - 1
        first, *rest = [row for row in filled[title][index:] if any(map(_is_filled, row))] or [()]
        if header is not None and not (filled[title][index:] and any(map(_is_filled, filled[title][index]))):
            raise InvalidData(f"{source.name}: sheet {title!r}: got nothing in row {index + 1}, expected column names")
        has_header = header is not None or headers.is_header(first, rest, wanted)
        last_row = index + 1 if header is None else header.last
        chosen = cls(source, title, len(visible), has_header, header_row=index + 1, last_row=last_row)
        if chosen.has_header:
            chosen = replace(chosen, numbers=headers.find_numbers(chosen._read_names(first), wanted))
        formulas, blanks = chosen._find_formulas(chosen._read_names(first))
        if places := [place for name, place in formulas.items() if name in wanted]:
            raise InvalidData(f"{source.name}: {explain_formula(places[0])}")
        return replace(chosen, errors=tuple(chosen._find_errors()), formulas=formulas, blanks=blanks)

    @property
    def title(self) -> str:
        """Format and sheet, for people, and the cells that are read as empty."""
        sheet = f", sheet {self.sheet!r} of {self.sheets}" if self.sheets > 1 else ""
        errors = _list_places(self.errors)
        listed = f"; {pluralize(len(self.errors), 'cell')} with an error, read as empty: {errors}" if errors else ""
        if self.formulas:
            columns = f"; {pluralize(len(self.formulas), 'column')} with formulas without stored values, read as empty"
            listed += f"{columns}: {_list_places(list(map(repr, self.formulas)))}"
        if self.blanks:
            cells = f"; {pluralize(len(self.blanks), 'formula')} without a stored value, read as empty"
            listed += f"{cells}: {_list_places(self.blanks)}; {_RECALCULATE}"
        header = "" if self.has_header else ", no header"
        header += f", {numbers}" if (numbers := headers.describe_numbers(self.numbers)) else ""
        if self.header_row > 1 or self.sheets > 1:
            header += f", {'column names in' if self.has_header else 'from'} row {self.header_row}"
        return "Excel workbook" + sheet + header + listed

    def read_rows(self) -> Iterator[dict[str, object]]:
        """Yield the rows below the first; rows without anything at the end are none.

        Numbers, booleans and texts keep their types, times are ISO 8601. Raises InvalidData for a formula whose value
        was not stored, and for repeated column names.
        """
        names: list[str] = []
        written: list[object] = []
        blank = 0
        with _open(self.source) as book:
            for number, row in enumerate(_read_rows(book[self.sheet]), start=1):
                if number < self.header_row or self.header_row < number <= self.last_row:
                    continue
                if not any(map(_is_filled, row)):
                    blank += bool(names)
                    continue
                cells = [_normalize_cell(cell) for cell in row]
                if not names:
                    names = self._read_names(cells)
                    if self.has_header:
                        written = [each for each in row if _is_filled(each)] if len(names) > 1 else []
                        continue
                for _ in range(blank):
                    yield dict.fromkeys(names)
                blank = 0
                if written and [each for each in row if _is_filled(each)] == written:
                    raise InvalidData(f"{self.source.name}: sheet {self.sheet!r}, row {number}: {headers.REPEATED}")
                yield self._create_row(names, cells, number)

    def _create_row(self, names: Sequence[str], cells: list[object], number: int) -> dict[str, object]:
        if any(_is_filled(cell) for cell in cells[len(names) :]):
            head = "read as the header" if self.has_header else "read as the first text"
            raise InvalidData(
                f"{self.source.name}: sheet {self.sheet!r}, row {number}: got a cell beyond the "
                f"{pluralize(len(names), 'column')} of row {self.header_row}, {head}. "
                "next: name a column (--text) or a sheet (--sheet), or delete the rows above the header"
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

    def _find_formulas(self, names: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return the cells of formulas without stored values, as in `{"sum": "B3"}`, and those among other cells.

        Both are empty if any formula has a value: a program has calculated the workbook, and the others are blank.
        """
        from openpyxl.utils import get_column_letter

        places: dict[str, list[str]] = {}
        filled: set[str] = set()
        with _open(self.source) as book, _open(self.source, values=False) as written:
            rows = zip(_read_rows(book[self.sheet]), _read_rows(written[self.sheet]), strict=False)
            for number, (values, cells) in enumerate(rows, start=1):
                for column, (value, cell) in enumerate(zip(values, cells, strict=False)):
                    is_below = number > self.header_row - (not self.has_header) and column < len(names)
                    if not isinstance(cell, str) or not cell.startswith("=") or value == cell:
                        filled.update([names[column]] if is_below and _is_filled(value) else [])
                        continue  # a text that begins with a sign is the same in both
                    if value is not None:
                        return {}, ()
                    if is_below:
                        place = f"{get_column_letter(column + 1)}{number}"
                        places.setdefault(names[column], []).append(place)
        blanks = [place for name, cells in places.items() if name in filled for place in cells]
        return {name: cells[0] for name, cells in places.items() if name not in filled}, tuple(blanks)


_RECALCULATE = "next: open the workbook in a spreadsheet program and save it"


def explain_formula(place: str) -> str:
    """Return the error for a used cell whose formula has no stored value."""
    return f"cell {place}: a formula without a stored value. {_RECALCULATE}"


def _list_places(places: Sequence[str]) -> str:
    return ", ".join(places[:_MOST_PLACES]) + (", …" if len(places) > _MOST_PLACES else "")


#: Sheet → its first rows.
_Samples = Mapping[str, Sequence[Sequence[object]]]


def _find_named(samples: _Samples, wanted: Sequence[str]) -> tuple[str, int] | None:
    """Return sheet and row index of the names of wanted columns; None if no row has them.

    A first filled row needs one of them. A row below it needs all, and of the default names, which a caller may not
    mean, none beside others.
    """
    names = [name for name in wanted if not name.isdecimal()]
    for title, rows in samples.items():
        first = next(index for index, row in enumerate(rows) if any(map(_is_filled, row)))
        if any(name in map(_as_name, rows[first]) for name in names):
            return title, first
    rows_of_names = ((title, headers.find_named(rows, wanted)) for title, rows in samples.items())
    return next(((title, index) for title, index in rows_of_names if index is not None), None)


def _find_likely(samples: _Samples, visible: Mapping[str, bool]) -> tuple[str, int]:
    """Return the sheet that is most like a table, and the index of the first row of that table."""
    candidates: list[tuple[tuple[bool, bool, bool, int], str, int]] = []
    for title, rows in samples.items():
        filled = [(index, sum(map(_is_filled, row))) for index, row in enumerate(rows)]
        first = headers.find_header(rows) or next(index for index, width in filled if width)
        widths = [width for index, width in filled if index >= first and width]
        is_table = len(widths) > 1 and median_high(widths) > 1
        candidates.append(((is_table, len(widths) > 1, visible[title], sum(widths)), title, first))
    _, title, first = max(candidates, key=lambda entry: entry[0])
    return title, first


def _as_name(cell: object) -> str:
    return str(cell).strip()


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
    for row in sheet.iter_rows(values_only=True):
        yield tuple(_unescape(cell) if isinstance(cell, str) and "_x" in cell else cell for cell in row)


def _unescape(text: str) -> str:
    """Return a text of a workbook, in which Excel writes a carriage return as `_x000D_` and `_x` as `_x005F_x`."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


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
