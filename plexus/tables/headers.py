"""Decide whether the first row of a table names its columns, and name those that are wanted by number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from plexus.text import fold

#: Rows below the first that are compared with it.
SAMPLE = 200
_LONGEST = 60  # characters of a column's name
_MOST_WORDS = 6
_FEWEST = 20  # cells by which classes are recognized
_VALUE = re.compile(r"[\d\s.,:/+%€$£TZ-]*\d[\d\s.,:/+%€$£TZ-]*")  # numbers, prices, shares and times


def is_header(first: Sequence[object], rest: Sequence[Sequence[object]], wanted: Sequence[str]) -> bool:
    """Return whether a first row names the columns.

    It does, unless a column is wanted by number. Then it does if it names a column that is wanted by name, numbers its
    columns itself, or differs from the rows below it as names differ from values.
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


def find_numbers(names: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """Return number → name of each column that is wanted by a number, from 1, that is no column's name."""
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
