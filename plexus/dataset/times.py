"""Read the column of times by which rows are split."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

from plexus.dataset.entries import Entry, format_rows
from plexus.exceptions import InvalidData

_DAYS = ("%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%Y/%m/%d")
#: Formats that spreadsheets write, beside ISO 8601; which of two is meant, only a person knows.
_FORMATS = tuple(day + clock for day in _DAYS for clock in ("", " %H:%M", " %H:%M:%S"))
_ENOUGH = 0.9  # of the times are in a format that is suggested; the others are listed once it is chosen


def parse_times(entries: Sequence[Entry], form: str | None) -> dict[int, float]:
    """Return row → number, or seconds of a time in ISO 8601 or, if it is given, in the format of strptime.

    Times without a zone are UTC. Raises InvalidData that lists the rows whose `extra` is unreadable, with the formats
    that would read it.
    """
    times: dict[int, float] = {}
    unreadable: list[Entry] = []
    for entry in entries:
        try:
            times[entry.row] = _parse_time(entry.extra.strip(), form)
        except ValueError:
            unreadable.append(entry)
    if unreadable:
        iso = "ISO 8601 (2026-11-29 or 2026-11-29T18:30:00Z) or a number"
        raise InvalidData(
            f"the column of times is unreadable in {format_rows(entry.row for entry in unreadable)}: got "
            f"{unreadable[0].extra!r}, expected {iso if form is None else form}. "
            f"next: {_suggest([entry.extra.strip() for entry in entries], form)}"
        )
    return times


def _parse_time(value: str, form: str | None) -> float:
    try:
        number = float(value) if form is None else None
    except ValueError:
        number = None
    if number is not None:
        if number != number:
            raise ValueError(value)
        return number
    moment = datetime.fromisoformat(value) if form is None else datetime.strptime(value, form)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _suggest(values: Sequence[str], form: str | None) -> str:
    fitting = [each for each in _FORMATS if each != form and _count_readable(values, each) >= _ENOUGH * len(values)]
    if fitting:
        return " or ".join(f"--time-format {shlex.quote(each)}" for each in fitting)
    return "correct these rows, or name another column"


def _count_readable(values: Sequence[str], form: str) -> int:
    count = 0
    for value in values:
        try:
            _parse_time(value, form)
        except ValueError:
            continue
        count += 1
    return count
