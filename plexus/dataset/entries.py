"""The texts and labels of a table, read once; other columns are read again when rows are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from plexus.exceptions import InvalidData
from plexus.problems import suggest
from plexus.tables import Row, Table, as_text
from plexus.tables.labels import fold_label

_NAMED_LABEL = ("label", "class", "category", "target", "sentiment", "topic", "kind")
_MOST_CLASSES = 100
_LONGEST_LABEL = 60  # characters
_SAMPLE = 1000  # rows
_DAY = re.compile(r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4})(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d(?:[.,]0)?")
_NUMBER = re.compile(r"([+-]?\d+([.,]\d+)?)?")


@dataclass(frozen=True)
class Entry:
    """A row's text and label as they are in the table, empty if there is none; `row` counts from 1.

    `extra` is the value of the column that groups or orders rows, if one is read.
    """

    row: int
    text: str
    label: str
    extra: str = ""

    @property
    def has_text(self) -> bool:
        """Whether there is more than white space."""
        return bool(self.text.strip())


@dataclass(frozen=True)
class Dataset:
    """A table's entries in order, its columns, and which of them are read; `label` is None without labels.

    `numbers` has the header's names of columns that are read by number.
    """

    name: str
    columns: tuple[str, ...]
    text: str
    label: str | None
    entries: Sequence[Entry]
    numbers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_headless(self) -> bool:
        """Whether the columns are named by their numbers."""
        return self.columns == tuple(str(number) for number in range(1, len(self.columns) + 1))


def read(table: Table, text: str, label: str | None, extra: str | None = None) -> Dataset:
    """Read the whole table. Raises InvalidData for a missing column, a malformed row, or a table without rows.

    Rows without a text are kept: what to do with them is the caller's decision. Texts and labels are in memory, other
    columns are not.
    """
    columns: dict[str, None] = {}
    entries: list[Entry] = []
    for number, row in table.read_rows():
        columns.update(dict.fromkeys(map(str, row)))
        cells = [as_text(table, number, row, name) if name is not None else "" for name in (text, label, extra)]
        entries.append(Entry(number, *cells))
    if not entries:
        raise InvalidData(f"{table.name}: got no rows, expected at least one")
    return Dataset(table.name, tuple(columns), text, label, entries, table.numbers)


def guess_columns(table: Table) -> tuple[str, str | None]:
    """Return the columns that look most like texts and like labels, by the first 1,000 rows; no label if none does.

    Texts are the longest; labels are short and repeat, and a name such as `category` decides between several. Lists
    and maps are neither, numbers are no texts, days are no labels, and years are only if nothing else is. Raises
    InvalidData for a table without rows, or without a column of texts; the error names members of maps that may be
    some.
    """
    values: dict[str, list[str]] = {}
    nested: set[str] = set()
    members: dict[str, int] = {}
    for _, row in table.read_rows(_SAMPLE):
        for name, value in row.items():
            values.setdefault(str(name), []).append("" if value is None else str(value).strip())
            if isinstance(value, (dict, list)):
                nested.add(str(name))
            for member, cell in value.items() if isinstance(value, dict) else ():
                members[f"{name}.{member}"] = members.get(f"{name}.{member}", 0) + len(cell) * isinstance(cell, str)
    if not values:
        raise InvalidData(f"{table.name}: got no rows, expected at least one")
    columns, values = list(values), {name: cells for name, cells in values.items() if name not in nested}
    texts = {name: cells for name, cells in values.items() if not all(_NUMBER.fullmatch(cell) for cell in cells)}
    if not texts:
        longest = max(members, key=lambda name: members[name], default="")
        remedy = f"--text {longest}" if members.get(longest) else "write the texts to a column of their own"
        raise InvalidData(
            f"{table.name}: no column of texts: every column has numbers, lists or maps: {', '.join(columns)}. "
            f"next: {remedy}"
        )
    text = max(texts, key=lambda name: sum(map(len, texts[name])))
    classes = {name: _count_classes(cells) for name, cells in values.items() if name != text}
    likely = [name for name, count in classes.items() if count]
    years = {name for name in likely if all(_YEAR.fullmatch(cell) for cell in values[name] if cell)}
    label = min(likely, key=lambda name: (not _is_label_name(name), name in years, classes[name]), default=None)
    return text, label


def _count_classes(cells: Sequence[str]) -> int:
    """Return the number of classes in a column's cells; 0 if they do not look like labels."""
    known = [cell for cell in cells if cell]
    classes = {fold_label(cell) for cell in known}
    repeats = 2 * len(classes) <= len(known)
    short = all(len(cell) <= _LONGEST_LABEL and not is_date(cell) for cell in known)
    return len(classes) if short and repeats and 2 <= len(classes) <= _MOST_CLASSES else 0


def is_date(cell: str) -> bool:
    """Return whether a cell begins with a day, as in `2026-11-29` and `29.11.2026`; a year alone is a number."""
    return _DAY.match(cell.strip()) is not None


def _is_label_name(name: str) -> bool:
    return any(word in name.casefold() for word in _NAMED_LABEL)


def list_columns(table: Table, wanted: Iterable[str]) -> list[str]:
    """Return the columns of all rows, in order. Raises InvalidData for a missing `wanted` column, and without rows.

    Reads the whole table, since the rows of JSON may have different keys.
    """
    names: dict[str, None] = {}
    last: Row = {}
    for _, row in table.read_rows():
        names.update(dict.fromkeys(map(str, row)))
        last = row
    if not last:
        raise InvalidData(f"{table.name}: got no rows, expected at least one")
    for name in wanted:
        if name not in names:
            raise InvalidData(
                f"{table.name}: no column {name!r}{suggest(name, names)}; columns: {', '.join(names)}{table.hint}"
            )
    return list(names)


def choose_written_names(dataset: Dataset) -> dict[str, str]:
    """Return column → its name in written files; without a header, the names are `text`, `label` and `column 3`."""
    if not dataset.is_headless:
        return {name: dataset.numbers.get(name, name) for name in dataset.columns}
    names = {dataset.text: "text", **({dataset.label: "label"} if dataset.label is not None else {})}
    return {name: names.get(name, f"column {name}") for name in dataset.columns}


def hint_at_missing_header(dataset: Dataset) -> str:
    """Return a note if the first line, read as column names, looks like a row; else an empty string."""
    if dataset.label is None or dataset.label == "label":
        return ""
    if fold_label(dataset.label) not in {fold_label(entry.label) for entry in dataset.entries}:
        return ""
    text, label = (dataset.columns.index(name) + 1 for name in (dataset.text, dataset.label))
    return (
        f"the first line names the columns, but {dataset.label!r} is also a label: the file may have no header. "
        f"next: --text {text} --label {label}"
    )


def format_rows(rows: Iterable[int], most: int = 5) -> str:
    """Return `rows 3, 8, 12, …` for people."""
    numbers = list(rows)
    listing = ", ".join(map(str, numbers[:most])) + (", …" if len(numbers) > most else "")
    return f"row{'s' * (len(numbers) != 1)} {listing}"


def parse_pairs(option: str, pairs: Sequence[str]) -> Mapping[str, str]:
    """Return the mapping that OLD=NEW words state. Raises InvalidData for a word without `=`, or one name twice.

    The last `=` separates, so that OLD may contain one. NEW may be empty.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        old, sign, new = pair.rpartition("=")
        if not sign or not old.strip():
            raise InvalidData(f"{option} {pair!r}: expected OLD=NEW")
        if old in mapping:
            raise InvalidData(f"{option}: {old!r} appears twice, as {mapping[old]!r} and {new!r}")
        mapping[old] = new
    return mapping
