"""Detect how a text file separates and quotes its cells, and whether its first line names the columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from plexus.tables import headers

#: Marks that no decoded text contains: a carriage return within a cell, and the separator of a single column.
CARRIAGE_RETURN, NO_SEPARATOR = "\udc0d", "\udc1f"
SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "pipes"}
LONGEST = 100_000_000  # characters of a cell
_SAMPLE = 1_000_000  # characters
_SEP_LINE = re.compile(r"\"?sep=([^\"])\"?\s*")
_MOSTLY = 0.5
# The line below the column names of a table that was drawn for people: Markdown's `|---|:-:|`, psql's, `+----+`.
_BLANK_SEPARATED = re.compile(r'"[^"]+"(?: +"[^"]+")+')
_DRAWN = re.compile(r"(?=\||.*(?:--|==))(?=.*[|+])(?=.*[-=])[\s|+:=-]+")


class MalformedRecord(Exception):
    """Raised for a record that the dialect does not allow; `line` is where it begins."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Dialect:
    """How cells are written.

    `separator` is empty for a single column. `quoting` is "doubled" (CSV's), "escaped" (with backslashes) or "none".
    `lines` counts the lines before the first row of cells, `titles` those of them that are filled, and are no rows.
    """

    separator: str = ","
    quoting: str = "doubled"
    skips_blanks: bool = False
    lines: int = 0
    has_header: bool = True
    titles: int = 0

    @property
    def title(self) -> str:
        """The deviations from CSV with commas and a header, for people; empty if there are none."""
        parts = [SEPARATORS.get(self.separator, repr(self.separator))] if self.separator not in ("", ",") else []
        parts += {"escaped": ["backslashes before quotes"], "none": ["no quoting"]}.get(self.quoting, [])
        parts += ["blanks after separators"] if self.skips_blanks else []
        parts += [f"column names in line {self.lines + 1}"] if self.titles else []
        return ", ".join(parts + ([] if self.has_header else ["no header"]))

    def records(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells) of each record, with the number of the line where it begins; raises MalformedRecord.

        Lines are numbered from 1, those before the header included. A cell may span lines, and may have LONGEST
        characters.
        """
        csv.field_size_limit(LONGEST)
        remaining_lines = islice(iter(lines), self.lines, None)
        if not self.separator and self.quoting == "none":
            for number, line in enumerate(remaining_lines, start=self.lines + 1):
                yield number, [line.rstrip("\r\n")]
            return
        reader = csv.reader(
            remaining_lines,
            strict=True,
            delimiter=self.separator or NO_SEPARATOR,
            quoting=csv.QUOTE_NONE if self.quoting == "none" else csv.QUOTE_MINIMAL,
            doublequote=self.quoting != "escaped",
            escapechar="\\" if self.quoting == "escaped" else None,
            skipinitialspace=self.skips_blanks,
        )
        begun = self.lines + 1
        try:
            for cells in reader:
                yield begun, cells
                begun = self.lines + reader.line_num + 1
        except csv.Error as error:
            raise MalformedRecord(begun, str(error)) from None


#: Opens a file's lines from the first one; they may be left unread.
Lines = Callable[[], Iterator[str]]


@dataclass(frozen=True)
class _Reading:
    """The records that a dialect reads from a sample; `failed` if it read them up to an error."""

    dialect: Dialect
    records: list[tuple[int, list[str]]]
    failed: bool

    def count_names(self, wanted: Sequence[str]) -> int:
        """Return how many wanted columns the first record names, or has by number."""
        cells = self.records[0][1]
        return sum(name in cells or (name.isdecimal() and int(name) <= len(cells)) for name in wanted)

    @property
    def exact(self) -> float:
        """The share of records that have as many cells as the first."""
        width, rest = len(self.records[0][1]), self.records[1:]
        return sum(len(cells) == width for _, cells in rest) / len(rest) if rest else 1.0

    def compute_rank(self, wanted: Sequence[str]) -> tuple[int, bool, int, float, bool, int]:
        """Return a key by which the best reading is the greatest."""
        width, rest = len(self.records[0][1]), self.records[1:]
        fit = sum(not any(cells[width:]) for _, cells in rest) / len(rest) if rest else 1.0
        is_left = any(cell.startswith(' "') and cell.endswith('"') for _, cells in rest for cell in cells)
        name_count = self.count_names(wanted)
        return (
            name_count,
            not self.failed and (self.exact >= _MOSTLY or any(name in self.records[0][1] for name in wanted)),
            round(20 * fit),
            self.exact,
            not is_left,
            width,
        )


def detect(
    lines: Lines, wanted: Sequence[str], *, lone_texts: bool, separator: str | None, header: int | None = None
) -> Dialect:
    """Return the dialect of a file of these lines. `wanted` are the columns that the caller will read.

    `header` is the number of the line that names the columns. Without it the first line does, with three exceptions:

    - `wanted` are numbers, and the line looks like a row (`headers.is_header`);
    - `lone_texts` is set, because the file should have one text a line, and its only column has another name;
    - a line below it names them, and the lines above that one are titles, which are shorter.

    A `separator` that occurs in the line of names is the only one tried. Raises MalformedRecord for a table that is
    drawn, as in Markdown.
    """
    if header is None and not lone_texts:
        before, sample, is_whole = _read_sample(lines())
        below = _find_below_titles(sample, is_whole, wanted)
        header = below and below + before
    if header is None:
        return _detect(lines, wanted, lone_texts=lone_texts, separator=separator)
    skipped = header - 1
    try:
        dialect = _detect(lambda: islice(lines(), skipped, None), wanted, lone_texts=lone_texts, separator=separator)
    except MalformedRecord as error:
        raise MalformedRecord(error.line + skipped, str(error)) from None
    return replace(dialect, lines=dialect.lines + skipped, titles=skipped, has_header=True)


def _find_below_titles(sample: Sequence[str], is_whole: bool, wanted: Sequence[str]) -> int | None:
    """Return the line of the column names if titles are above it; None if the first line is one of the table.

    A line below the first names the columns if it has all wanted names, and the first has none; or if lines of fewer
    cells are above it, rows of as many cells as it has below it, and it differs from these as names from values.
    """
    if not sample or _SEP_LINE.fullmatch(sample[0]):
        return None
    used = [separator for separator in SEPARATORS if any(separator in line for line in sample[: headers.TITLE_ROWS])]
    readings = [_read(sample, dialect, is_whole).records for s in used for dialect in _list_candidates(s, sample, 0)]
    if any(name in map(str.strip, records[0][1]) for records in readings for name in wanted):
        return None
    for records in readings:
        cells = [row for _, row in records]
        index = headers.find_named(cells, wanted)
        if index or (index := headers.find_below_titles(cells)):
            return records[index][0]
    return None


def _detect(lines: Lines, wanted: Sequence[str], *, lone_texts: bool, separator: str | None) -> Dialect:
    before, sample, is_whole = _read_sample(lines())
    if drawn := next(
        (number for number, line in enumerate(sample[:2], before + 1) if _DRAWN.fullmatch(line.strip())), None
    ):
        raise MalformedRecord(drawn, "got a line that draws a table, as Markdown has. next: save the table as CSV")
    first = sample[0] if sample else ""
    if _BLANK_SEPARATED.fullmatch(first.strip()):
        raise MalformedRecord(before + 1, "columns are separated by blanks, as by R's write.table. next: write.csv")
    if declared := _SEP_LINE.fullmatch(first):
        return _decide_header(_read(sample[1:], Dialect(declared[1], lines=before + 1), is_whole), wanted, lone_texts)
    first = _join_quoted(sample)
    separators = [separator] if separator is not None and separator in first else [s for s in SEPARATORS if s in first]
    readings = [_read(sample, dialect, is_whole) for s in separators for dialect in _list_candidates(s, sample, before)]
    for place, entry in enumerate(readings):
        if entry.failed and entry.dialect.separator in ("\t", "|") and _is_unquoted(entry.dialect, lines):
            readings[place] = _read(sample, replace(entry.dialect, quoting="none"), is_whole)
    if lone_texts and not any(name.isdecimal() for name in wanted):
        # A comma in each text is not a separator, unless the first line names the column.
        tabs = [entry for entry in readings if entry.dialect.separator == "\t" and entry.exact > 0.9]
        readings = tabs + [entry for entry in readings if entry.count_names(wanted)]
    readings.append(_read(sample, Dialect("", lines=before), is_whole))
    best = max(readings, key=lambda entry: entry.compute_rank(wanted))
    if (
        best.dialect.separator in ("\t", "|")
        and best.dialect.quoting == "doubled"
        and _is_unquoted(best.dialect, lines)
    ):
        best = replace(best, dialect=replace(best.dialect, quoting="none"))
    return _decide_header(best, wanted, lone_texts)


def _is_unquoted(dialect: Dialect, lines: Lines) -> bool:
    """Return whether quotes would break a file, or join lines of it, that are rows of equal width without them.

    The whole file is read: one quote that opens a cell would swallow every row after it. Cells that are quoted as
    programs do it, from end to end or with doubled quotes within, are evidence against it. Raises MalformedRecord if
    quotes join lines that are rows without them, and either may be meant.
    """
    is_read, records, last, text = False, 0, 0, 0
    with suppress(MalformedRecord):
        for line, cells in dialect.records(lines()):
            text = text or (last if last and line > last + 1 else 0)
            records, last = records + bool(cells), line
        is_read = True
    widths: set[int] = set()
    total = stray = quoted = 0
    header_is_quoted = False
    for _, cells in replace(dialect, quoting="none").records(lines()):
        if not cells:
            continue
        header_is_quoted = header_is_quoted or (not total and all(re.fullmatch('".*"', cell) for cell in cells))
        total += 1
        widths.add(len(cells))
        for cell in cells:
            is_quoted = cell.startswith('"') and len(cell) > 1 and (cell.endswith('"') or '""' in cell[1:])
            quoted += is_quoted
            stray += '"' in cell and not is_quoted
    if (
        len(widths) > 1
        or not stray
        or header_is_quoted
        or (is_read and records == total)
        or (not is_read and quoted >= stray)
    ):
        return False
    if is_read and (quoted or total - records <= 2):
        message = "a quote joins this line and the next, or is part of the text. next: double it, or remove it"
        raise MalformedRecord(text or last, message)
    return True


def _list_candidates(separator: str, sample: Sequence[str], before: int) -> Iterator[Dialect]:
    text = "".join(sample)
    plain = Dialect(separator, lines=before)
    yield plain
    if f"{separator} " in text:
        yield replace(plain, skips_blanks=True)
    if '\\"' in text:
        yield replace(plain, quoting="escaped")


def _join_quoted(sample: Sequence[str]) -> str:
    """Return the first line, with those that a quoted cell of it spans: a name may have a line's end in it."""
    text = ""
    for line in sample[: headers.TITLE_ROWS]:
        text += line
        if text.count('"') % 2 == 0:
            return text
    return sample[0] if sample else ""


def _read_sample(lines: Iterator[str]) -> tuple[int, list[str], bool]:
    """Return the number of blank lines at the beginning, the lines after them, and whether these are all."""
    before, sample, size = 0, list[str](), 0
    for line in lines:
        if not sample and not line.strip(" \t\r\n"):
            before += 1
            continue
        sample.append(line)
        size += len(line)
        if size > _SAMPLE:
            return before, sample, False
    return before, sample, True


def _read(sample: Sequence[str], dialect: Dialect, is_whole: bool) -> _Reading:
    records: list[tuple[int, list[str]]] = []
    failed = False
    try:
        records += (record for record in replace(dialect, lines=0).records(sample) if record[1])
    except MalformedRecord as error:
        failed = is_whole or "unexpected end of data" not in str(error)
    first = sample[0] if sample else ""
    return _Reading(dialect, records or [(1, first.split(dialect.separator) if dialect.separator else [first])], failed)


def _decide_header(reading: _Reading, wanted: Sequence[str], lone_texts: bool) -> Dialect:
    """Decide whether the first record names the columns."""
    dialect, names = reading.dialect, [name.strip() for name in reading.records[0][1]]
    if lone_texts and not dialect.separator and not any(name in names for name in wanted):
        return replace(dialect, quoting="none", has_header=False)
    rest = [cells for _, cells in reading.records[1 : headers.SAMPLE + 1]]
    return replace(dialect, has_header=headers.is_header(names, rest, wanted))
