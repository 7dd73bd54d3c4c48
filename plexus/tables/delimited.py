"""Rows of text files: CSV in its dialects, tables of tabs or pipes, one text a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from plexus.exceptions import InvalidData
from plexus.problems import pluralize
from plexus.tables import dialects, encodings, headers
from plexus.tables.dialects import CARRIAGE_RETURN, Dialect, MalformedRecord
from plexus.tables.encodings import Encoding
from plexus.tables.output import restore
from plexus.tables.sources import Source

_LONE = re.compile(r"\r(?!\n)")
# Some programs translate the line ends of a file that has Windows' already.
_TWICE = re.compile(r"\r{2,}\n\Z")
_END_OF_FILE = "\x1a"  # of DOS
# Orange writes two rows below the names: the type of each column, and its role or settings.
_TYPES = frozenset({"", "c", "continuous", "d", "discrete", "s", "string", "t", "time"})
_ROLE = re.compile(r"(c|class|i|ignore|m|meta|w|weight|\S+=\S*)?")
_SUFFIXES = {".tsv": "\t", ".tab": "\t", ".psv": "|"}


@dataclass
class Delimited:
    """A text file of rows. Once all are read, `short` lists the lines of rows with fewer cells than columns, and
    `restored` those of cells without the apostrophe that kept them from being formulas.

    `has_types` says whether two rows of types are below the header, and `skipped` how many other rows there are none of
    the table. `numbers` has the names, in the header, of columns that are wanted by number: number → name.
    """

    source: Source
    encoding: Encoding
    dialect: Dialect
    column: str
    has_types: bool = False
    skipped: int = 0
    numbers: dict[str, str] = field(default_factory=dict)
    short: list[int] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)

    @classmethod
    def detect(
        cls,
        source: Source,
        wanted: Sequence[str],
        encoding: str | None,
        header: headers.HeaderRows | None = None,
    ) -> Delimited:
        """Detect encoding and dialect; raises InvalidData. The first of `wanted` names the column of lone texts.

        Reads the source more than once: it is a file, or was kept in one. Given header rows are not questioned.
        """
        result = encodings.detect(source, encoding)
        opened = cls(source, result, Dialect(), wanted[0] if wanted else "text")
        separator = _SUFFIXES.get(source.suffix)
        try:
            opened.dialect = dialects.detect(
                opened._read_lines,
                wanted,
                lone_texts=source.suffix == ".txt" and header is None,
                separator=separator,
                header=None if header is None else header.names,
            )
        except MalformedRecord as error:
            raise InvalidData(f"{source.name}:{error.line}: {error}") from None
        opened.skipped = header.last - header.names if header is not None else 0
        opened.has_types = not opened.skipped and opened._find_types()
        if opened.dialect.has_header and (first := next(opened._read_records(), None)):
            opened.numbers = headers.find_numbers(opened._read_names(first[1]), wanted)
        return opened

    @property
    def title(self) -> str:
        """Format, encoding and dialect, for people; empty for CSV as every program reads it."""
        encoding = "" if self.encoding.is_usual else self.encoding.title
        if not self.dialect.separator and not self.dialect.has_header:
            return ", ".join(filter(None, ["one text a line", encoding]))
        kind = "CSV" if self.dialect.separator != "\t" else "table"
        parts = [self.dialect.title, encoding, "lines that end in CR" if self.encoding.is_carriage_return else ""]
        parts.append("rows of types below the header" if self.has_types else "")
        parts.append(f"{pluralize(self.skipped, 'row')} below the column names left out" if self.skipped else "")
        parts.append(headers.describe_numbers(self.numbers))
        return ", ".join(filter(None, [kind, *parts])) if any(parts) else ""

    def read_rows(self) -> Iterator[dict[str, str]]:
        """Yield the rows; raises InvalidData with the line of a malformed one.

        Missing cells at the end of a row are empty. Lines and rows without anything at the end of the file are none.
        """
        self.short, self.restored = [], []
        names: list[str] | None = None
        written: list[str] = []
        blank: list[int] = []
        records = self._read_records()
        for line, cells in records:
            if names is None:
                names = self._read_names(cells)
                written = list(map(_strip, cells)) if self.dialect.has_header and len(cells) > 1 else []
                for _ in range(2 * self.has_types + self.skipped):
                    next(records, None)
                if self.dialect.has_header:
                    continue
            if not cells and len(names) > 1:
                continue
            if not any(cells):
                blank.append(line)
                continue
            for entry in blank:
                yield self._create_row(names, [""] * len(names), entry)
            blank = []
            if written and _strip(cells[0]) == written[0] and list(map(_strip, cells)) == written:
                raise InvalidData(f"{self.source.name}:{line}: {headers.REPEATED}")
            yield self._create_row(names, cells, line)

    def _find_types(self) -> bool:
        """Return whether the rows below the header are Orange's: types, then roles."""
        if self.dialect.separator != "\t" or not self.dialect.has_header:
            return False
        head = [cells for _, cells in islice(self._read_records(), 3)]
        if len(head) < 3 or not any(head[1]) or len(head[1]) > len(head[0]):
            return False
        roles = [word for cell in head[2] for word in cell.split()]
        return _TYPES.issuperset(map(str.strip, head[1])) and all(map(_ROLE.fullmatch, roles))

    def _create_row(self, names: Sequence[str], cells: list[str], line: int) -> dict[str, str]:
        if len(cells) > len(names) and any(cells[len(names) :]):
            raise InvalidData(f"{self.source.name}:{line}: got {pluralize(len(cells), 'field')}, expected {len(names)}")
        if len(cells) < len(names):
            self.short.append(line)
            cells = cells + [""] * (len(names) - len(cells))
        return dict(zip(names, cells, strict=False))

    def _read_names(self, cells: list[str]) -> list[str]:
        if not self.dialect.has_header:
            return [self.column] if not self.dialect.separator else [str(n) for n in range(1, len(cells) + 1)]
        if any("\r" in name.replace("\r\n", "\n") for name in cells):
            raise InvalidData(
                f"{self.source.name}: some lines end in CR, and others in LF. next: save it with one kind of line end"
            )
        # A program that adds a second byte order mark makes it a part of the first name.
        names = [_strip(name) or f"column {number}" for number, name in enumerate(cells, start=1)]
        repeated = sorted({repr(name) for name in names if names.count(name) > 1})
        if repeated:
            raise InvalidData(
                f"{self.source.name}:{self.dialect.lines + 1}: repeated column names: {', '.join(repeated)}; "
                "expected unique names. next: rename them in its first line"
            )
        return headers.rename(names, self.numbers)

    def _read_records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield records with carriage returns restored. Raises InvalidData with the line where a bad record begins."""
        try:
            for line, record in self.dialect.records(self._read_lines()):
                cells = [cell.replace(CARRIAGE_RETURN, "\r") for cell in record]
                yield line, [self._restore(cell, line) if cell[:1] in ("'", "\\") else cell for cell in cells]
        except MalformedRecord as error:
            raise InvalidData(f"{self.source.name}:{error.line}: {self._explain(str(error))}") from None

    def _restore(self, cell: str, line: int) -> str:
        if cell == "\\N" and self.dialect.separator == "\t":
            return ""  # null, as PostgreSQL's COPY and MySQL write it
        text = restore(cell)
        if text != cell:
            self.restored.append(line)
        return text

    def _read_lines(self) -> Iterator[str]:
        """Yield lines, and mark carriage returns that end none: the parser would take them for a line's end."""
        newline = "" if self.encoding.is_carriage_return else "\n"
        with encodings.open_text(self.source, self.encoding, newline) as file:
            for number, line in enumerate(file, start=1):
                if "\0" in line:
                    raise InvalidData(f"{self.source.name}:{number}: got a NUL character, expected text")
                if newline and "\r" in line:
                    line = _LONE.sub(CARRIAGE_RETURN, _TWICE.sub("\r\n", line))
                if line != _END_OF_FILE:
                    # A byte order mark within a file was the first one of a file that was joined to it.
                    yield line.lstrip("\ufeff") if line[0] == "\ufeff" else line

    def _explain(self, message: str) -> str:
        if "unexpected end of data" in message:
            return "unclosed quote in the row that begins here"
        if "expected after" in message:
            separator = self.dialect.separator or "a line's end"
            return f"text after a closing quote, expected {separator!r} (double a quote inside a field)"
        if "field limit" in message:
            return f"a field of more than {dialects.LONGEST} characters"
        return f"not CSV: {message}"


def _strip(name: str) -> str:
    return name.strip(" \t\n\ufeff\xa0")
