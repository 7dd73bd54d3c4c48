"""Decide which row of a table names its columns, if any does, and name those that are wanted by number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median_high
from typing import NamedTuple

from plexus.exceptions import InvalidData
from plexus.text import fold

#: Rows below the first that are compared with it.
SAMPLE = 200
#: Rows in which column names are looked for below a title.
TITLE_ROWS = 20
#: The message for a row that repeats the column names: its cells would be a text and a label.
REPEATED = "the column names are here again, as in files that were joined. next: remove this line"
_LONGEST = 60  # characters of a column's name
_MOST_WORDS = 6
_FEWEST_COLUMNS, _FEWEST_ROWS = 3, 5  # of a table below titles that no wanted name shows
_FEWEST = 20  # cells by which classes are recognized
_VALUE = re.compile(r"[\d\s.,:/+%€$£TZ-]*\d[\d\s.,:/+%€$£TZ-]*")  # numbers, prices, shares and times


class HeaderRows(NamedTuple):
    """The row that names the columns, from 1, and the last row below it that is none of the table, or that row."""

    names: int
    last: int


_ROWS = re.compile(r"\s*(\d{1,7})\s*(?:[-–]\s*(\d{1,7})\s*)?")


def parse_header_rows(written: str | None) -> HeaderRows | None:
    """Return the rows that `5` or `1-3` mean; None if nothing is written. Raises InvalidData."""
    if written is None:
        return None
    matched = _ROWS.fullmatch(written)
    rows = HeaderRows(int(matched[1]), int(matched[2] or matched[1])) if matched else HeaderRows(0, 0)
    if not 0 < rows.names <= rows.last:
        raise InvalidData(
            f"row of column names: got {written!r}, expected a number from 1, as in 5, "
            "or 1-3 if rows 2 and 3 only describe the columns"
        )
    return rows


def is_header(first: Sequence[object], rest: Sequence[Sequence[object]], wanted: Sequence[str]) -> bool:
    """Return whether a first row names the columns.

    By default it does. If a column is wanted by number, the row must name a column that is wanted by name, number its
    columns itself, or differ from the rows below it as names differ from values.
    """
    names = [str(cell).strip() for cell in first]
    if not any(name.isdecimal() for name in wanted):
        return True
    if any(name in names for name in wanted if not name.isdecimal()):
        return True
    if any(names == list(map(str, range(start, start + len(names)))) for start in (0, 1)):
        return True
    return _looks_like_names(names, [["" if cell is None else str(cell).strip() for cell in row] for row in rest])


def _looks_like_names(names: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Return whether short and different words are above a column of values, or of classes that they are none of."""
    filled = [name for name in names if name]
    if len(set(filled)) < len(filled) or not filled:
        return False
    if any(_VALUE.fullmatch(name) or len(name) > _LONGEST or len(name.split()) > _MOST_WORDS for name in filled):
        return False
    is_shown, is_short = False, True
    for place, name in enumerate(names):
        cells = [row[place] for row in rest[:SAMPLE] if place < len(row) and row[place]]
        classes = {fold(cell) for cell in cells}
        if name and fold(name) in classes:
            return False
        is_class = len(cells) >= _FEWEST and 5 * len(classes) <= len(cells) and max(map(len, cells)) <= _LONGEST
        are_values = len(cells) > 1 and all(map(_VALUE.fullmatch, cells))
        is_shown = is_shown or bool(name and (is_class or are_values))
        is_short = is_short and (
            is_class or are_values or 10 * sum(len(cell) > len(name) for cell in cells) >= 9 * len(cells)
        )
    return is_shown and is_short


def find_header(rows: Sequence[Sequence[object]]) -> int:
    """Return the index of the row that names the columns, below titles and names of groups of columns.

    A row is above the header in two cases. Either it fills at most half of the columns that the rows below it fill. Or
    the next row fills more, and looks like names: it is above values, or consists of different short words that do not
    occur in the row itself. If no row of such words is below the first row, the first row is the header.
    """
    for index, row in enumerate(rows[: TITLE_ROWS + 1]):
        rest = [each for each in rows[index + 1 :] if any(map(_is_filled, each))]
        filled = sum(map(_is_filled, row))
        if not filled:
            continue
        if not rest:
            break
        width = median_high(sum(map(_is_filled, each)) for each in rest)
        is_title = 2 * filled <= width and (_is_filled(row[0]) or width > 2)
        is_wider = sum(map(_is_filled, rest[0])) > filled
        is_above = _looks_like_names(*_as_texts(rest)) or (_are_words(rest[0]) and not _are_words(row))
        if is_title or (is_wider and is_above):
            continue
        return index if _are_words(row) else 0
    return 0


def find_below_titles(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the index of the row of names below shorter rows, such as titles; None if there is any doubt.

    The row has at least three cells, as many as the rows below it, and looks like their names.
    """
    width, _ = Counter(map(len, rows)).most_common(1)[0]
    first = next(index for index, row in enumerate(rows) if len(row) == width)
    index = first + find_header(rows[first:])
    rest = rows[index + 1 :]
    if not index or width < _FEWEST_COLUMNS or len(rest) < _FEWEST_ROWS:
        return None
    is_even = 20 * sum(len(row) == width for row in rest) >= 19 * len(rest)
    are_titles = all(len(row) < width or 2 * sum(map(_is_filled, row)) <= width for row in rows[:index])
    return index if is_even and are_titles and _looks_like_names(*_as_texts(rows[index:])) else None


def find_named(rows: Sequence[Sequence[object]], wanted: Sequence[str]) -> int | None:
    """Return the index of the first row of several cells that has all wanted names; None if no row has them.

    Of the default names, which a caller may not mean, none is required beside others.
    """
    names = [name for name in wanted if not name.isdecimal()]
    required = [name for name in names if name not in ("text", "label")] or names
    for index, row in enumerate(rows[:TITLE_ROWS]):
        cells = {str(cell).strip() for cell in row if _is_filled(cell)}
        if required and len(cells) > 1 and cells.issuperset(required):
            return index
    return None


def _as_texts(rows: Sequence[Sequence[object]]) -> tuple[list[str], list[list[str]]]:
    first, *rest = [["" if cell is None else str(cell).strip() for cell in row] for row in rows]
    return first, rest


def _is_filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""


def _are_words(row: Sequence[object]) -> bool:
    cells = [cell.strip() for cell in row if isinstance(cell, str) and cell.strip()]
    is_short = all(len(cell) <= _LONGEST and not _VALUE.fullmatch(cell) for cell in cells)
    return is_short and len(cells) == len(set(cells)) == sum(map(_is_filled, row))


def find_numbers(names: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """Return number → name of each column that is wanted by a number, from 1, that is no column's name.

    A column whose name is that number wins.
    """
    return {
        number: names[int(number) - 1]
        for number in wanted
        if number.isdecimal() and number not in names and 0 < int(number) <= len(names)
    }


def describe_numbers(numbers: Mapping[str, str]) -> str:
    """Return which columns the numbers are, for people; empty if none is wanted by number."""
    listed = ", ".join(
        f"{number} is {name!r}" for number, name in sorted(numbers.items(), key=lambda pair: int(pair[0]))
    )
    return f"the first row names the columns: {listed}" if listed else ""


def rename(names: Sequence[str], numbers: Mapping[str, str]) -> list[str]:
    """Return the names of columns, with its number in place of the name of each that is wanted by number."""
    by_name = {name: number for number, name in numbers.items()}
    return [by_name.get(name, name) for name in names]
