"""Faults of a table's form: rows that describe the columns, and cells that join several labels."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from plexus.dataset.entries import Dataset, format_rows
from plexus.exceptions import InvalidData
from plexus.tables import Table
from plexus.tables.labels import fold_label

_MOST_DESCRIPTIONS = 3  # rows below the names
_FEWEST = 20  # rows by which classes are known
_FEWEST_JOINED = 3
_JOINTS = (";", "|", ",", "\n")


@dataclass(frozen=True)
class Finding:
    """A fault that would mislead: its kind, a sentence, its rows from 1 (empty if it has none), and the remedy."""

    kind: str
    message: str
    rows: tuple[int, ...]
    remedy: str


def split_members(cell: str, joint: str) -> list[str]:
    """Return the labels that a cell joins, in its order."""
    return [part.strip() for part in cell.split(joint) if part.strip()]


def find_joint(cells: Sequence[str]) -> str | None:
    """Return the mark that joins labels in some of the cells; None if none does.

    Joined labels recur: most of them are in several different cells, unlike the parts of names such as `Returns,
    refunds`.
    """
    distinct = {cell.strip() for cell in cells if cell.strip()}
    for joint in _JOINTS:
        members = {cell: {fold_label(part) for part in split_members(cell, joint)} for cell in distinct}
        combinations = [cell for cell, parts in members.items() if len(parts) > 1]
        uses = Counter(part for parts in members.values() for part in parts)
        recurring = sum(uses[part] > 1 for part in uses)
        if len(combinations) >= _FEWEST_JOINED and len(uses) < len(distinct) and 2 * recurring > len(uses):
            return joint
    return None


def list_members(table: Table, column: str) -> dict[str, set[int]]:
    """Return column name → rows from 1 for each label that cells of a column join or list, sorted by name.

    Raises InvalidData if no cell does.
    """
    values = {number: row.get(column) for number, row in table.read_rows()}
    joint = find_joint([value for value in values.values() if isinstance(value, str)])
    spelt: dict[str, str] = {}
    rows: dict[str, set[int]] = {}
    for number, value in values.items():
        cells = value if isinstance(value, list) else split_members(str(value or ""), joint or "\n")
        listed = [str(cell).strip() for cell in cells]
        for member in listed:
            rows.setdefault(spelt.setdefault(fold_label(member), member), set()).add(number)
    if joint is None and not any(isinstance(value, list) for value in values.values()):
        raise InvalidData(f"{table.name}: no cell of column {column!r} joins labels, as `price; delivery` does")
    return {f"{column}: {member}": rows[member] for member in sorted(rows)}


def find_joined_labels(dataset: Dataset) -> Iterator[Finding]:
    """Yield a fault if cells join several labels: each combination would be a class of its own."""
    joint = find_joint([entry.label for entry in dataset.entries]) if dataset.label is not None else None
    if dataset.label is not None and joint is not None:
        entries = [entry for entry in dataset.entries if len(split_members(entry.label, joint)) > 1]
        message = f"{len(entries)} labels join several, as {entries[0].label.strip()!r}: each combination is a class"
        remedy = (
            f"plexus data convert --members {shlex.quote(dataset.label)} writes a column of Yes and No for each label"
        )
        yield Finding("several labels", message, tuple(entry.row for entry in entries), remedy)


def find_described_columns(dataset: Dataset) -> Iterator[Finding]:
    """Yield a fault if the first rows may describe the columns, as in exports of surveys: their labels are in no other.

    The other rows have classes, most of which occur more than once.
    """
    if dataset.label is None or dataset.is_headless:
        return
    counts = Counter(fold_label(entry.label) for entry in dataset.entries if entry.label.strip())
    first = [*takewhile(lambda entry: counts[fold_label(entry.label)] == 1, dataset.entries[: _MOST_DESCRIPTIONS + 1])]
    rest = [entry for entry in dataset.entries[len(first) :] if entry.label.strip()]
    alone = sum(counts[fold_label(entry.label)] == 1 for entry in rest)
    if not 0 < len(first) <= _MOST_DESCRIPTIONS or len(rest) < _FEWEST or 20 * alone > len(rest):
        return
    rows = tuple(entry.row for entry in first)
    labels = ", ".join(repr(entry.label.strip()) for entry in first)
    message = f"{format_rows(rows)} may describe the columns, as no other row has the label {labels}"
    yield Finding("described", message, rows, f"--header-row 1-{1 + len(first)}, if row 1 of the file has the names")
