"""Labels of a table: one rule for their spelling, in `train` and in `evaluate`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from plexus.exceptions import InvalidData
from plexus.problems import pluralize, suggest
from plexus.tables.columns import as_item, as_text
from plexus.tables.table import Table
from plexus.tables.typos import find_likely_typos
from plexus.text import fold
from plexus.values import Item

#: Words, folded, that programs and people write for a missing value. They are labels only if the score or the card says
#: so. `Other` and `don't know` are answers.
MISSING = (
    {"na", "n/a", "n.a.", "n.a", "#n/a", "nan", "<na>", "nat", "null", "none", "nil", "n.d.", "n/d", "k.a.", "k.a"}
    | {"k. a.", "k/a", "keine angabe", "keine angaben", "ohne angabe", "unbekannt", "nicht bekannt", "unknown"}
    | {"not available", "not specified", "inconnu", "non renseigné", "desconocido", "sin datos", "sconosciuto"}
)
_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_MOST_ROWS = 5
_BLANK_MARKS = re.compile(r"[?¿._/–—…-]+")


@dataclass(frozen=True)
class Labelled:
    """An item with the label that a person gave it, as it is in the table; `row` counts from 1."""

    row: int
    item: Item
    label: str


@dataclass(frozen=True)
class Labels:
    """Texts with labels that are spelt as their classes are; `notes` list in lines what was read as something else."""

    texts: list[Labelled]
    notes: list[str]


def read_labelled(table: Table, text: str, label: str, limit: int | None = None) -> list[Labelled]:
    """Return the table's labelled texts, or the first `limit`; the label is not part of the metadata.

    Raises InvalidData that lists the rows without a text or a label.
    """
    results: list[Labelled] = []
    empty: list[int] = []
    for number, row in table.read_rows(limit):
        item, value = as_item(table, number, row, text, (label,)), as_text(table, number, row, label)
        if (item.text or "").strip() and value.strip():
            results.append(Labelled(number, item, value))
        else:
            empty.append(number)
    if empty:
        numbers = ", ".join(map(str, empty[:10])) + (" …" if len(empty) > 10 else "")
        raise InvalidData(
            f"{table.name}: {pluralize(len(empty), 'row')} without {text!r} or {label!r}: {numbers}. "
            "next: plexus data clean leaves them out"
        )
    if not results:
        raise InvalidData(f"{table.name}: got no rows, expected at least one")
    return results


def fold_label(label: str) -> str:
    """Return what two spellings of a label share: case and white space do not count, and 2.0 is 2."""
    folded = fold(label)
    whole = _WHOLE.fullmatch(folded)
    return whole[1] if whole else folded


def find_missing(names: Iterable[str]) -> set[str]:
    """Return the keys of labels that usually mean a missing one: words such as `n/a`, and marks such as `?`.

    Marks are classes where a plus is one too, or where no label has a letter or a digit.
    """
    keys = {fold_label(name) for name in names}
    marks = {key for key in keys if _BLANK_MARKS.fullmatch(key)}
    are_classes = "+" in keys or not any(any(map(str.isalnum, key)) for key in keys)
    return keys & MISSING | (set() if are_classes else marks)


def map_spellings(names: Iterable[str]) -> dict[str, str]:
    """Return key → the first name with that key."""
    spelt: dict[str, str] = {}
    for name in names:
        spelt.setdefault(fold_label(name), name)
    return spelt


def normalize(
    texts: Sequence[Labelled],
    known: Sequence[str],
    name: str,
    mapping: Mapping[str, str | None],
    *,
    for_training: bool = False,
) -> Labels:
    """Return the texts with each label as the score `name` spells its value.

    `mapping` replaces labels first; a text whose label is mapped to None is left out. After that a label is one of the
    `known` values, regardless of case and white space. Without known values, spellings with the same key are one
    class, named by the most frequent of them.

    Raises InvalidData that lists, with rows, every label that the score cannot return. With `for_training` it also
    lists every label that usually means a missing one, because it would become a class.
    """
    mapped = {fold_label(label): value for label, value in mapping.items()}
    kept = [entry for entry in texts if mapped.get(fold_label(entry.label), "") is not None]
    values = [mapped.get(fold_label(entry.label)) or entry.label for entry in kept]
    spelt = map_spellings(known) if known else _choose_spellings(values, mapped)
    meant = {fold_label(value) for value in mapping.values() if value is not None}
    refused = find_missing(values) - meant if for_training else set()
    unknown: dict[str, list[int]] = {}
    for entry, value in zip(kept, values, strict=True):
        if fold_label(value) not in spelt or fold_label(value) in refused:
            unknown.setdefault(value.strip(), []).append(entry.row)
    if unknown:
        raise InvalidData(_format_refusal(unknown, known, name))
    if not kept:
        raise InvalidData(f"{name!r}: got no labelled texts, as `labels` leaves all of them out")
    renamed_texts = [replace(entry, label=spelt[fold_label(value)]) for entry, value in zip(kept, values, strict=True)]
    notes = _list_variants(kept, renamed_texts)
    if len(kept) < len(texts):
        notes.append(f"{pluralize(len(texts) - len(kept), 'row')} left out, as `labels` says")
    return Labels(renamed_texts, notes if known else [*notes, *_list_typos(renamed_texts)])


def _choose_spellings(values: Sequence[str], mapped: Mapping[str, str | None]) -> dict[str, str]:
    """Return key → most frequent spelling; what a label is mapped to is spelt as it is there."""
    chosen = {fold_label(value): value for value in mapped.values() if value is not None}
    counts = Counter(" ".join(value.split()) for value in values)
    for value, _ in counts.most_common():
        whole = _WHOLE.fullmatch(value)
        chosen.setdefault(fold_label(value), whole[1] if whole else value)
    return chosen


def _format_refusal(unknown: Mapping[str, list[int]], known: Sequence[str], name: str) -> str:
    listed = "".join(
        f"\n  {label!r}: {pluralize(len(rows), 'row')}, first in row {rows[0]}{suggest(label, known)}"
        for label, rows in sorted(unknown.items())
    )
    first = next(iter(sorted(unknown)))
    if not known:
        remedy = (
            f"next: correct them, or map them in the card: `data: {{labels: {{{first!r}: null}}}}` leaves such rows "
        )
        remedy += f"out, `{{{first!r}: {first!r}}}` keeps the label, and so does naming it in `valid_classes`"
        return f"labels that usually mean a missing value:{listed}\n  {remedy}"
    remedy = (
        f"next: correct them, or map them in the card: `data: {{labels: {{{first!r}: …}}}}`; null leaves a row out. "
    )
    remedy += "To count them as mistakes, name all labels in `validation: {value: {valid_classes: […]}}`"
    settings = ", ".join(repr(value) for value in known)
    return f"labels that {name!r} can never give:{listed}\n  it gives {settings}. {remedy}"


def _list_variants(texts: Sequence[Labelled], renamed_texts: Sequence[Labelled]) -> list[str]:
    """List the spellings of classes that have several; one that all rows share is not listed."""
    rows: dict[str, dict[str, list[int]]] = {}
    for text, now in zip(texts, renamed_texts, strict=True):
        rows.setdefault(now.label, {}).setdefault(text.label, []).append(text.row)
    return [
        f"label {label!r} is read as {now!r}: {_format_rows(found)}"
        for now, spellings in sorted(rows.items())
        for label, found in sorted(spellings.items())
        if len(spellings) > 1 and label != now
    ]


def list_likely_typos(renamed_texts: Sequence[Labelled]) -> list[tuple[str, str, list[int]]]:
    """Return (label, likely label, rows) of each label that may be a typo.

    Rows are numbered as in the file.
    """
    rows: dict[str, list[int]] = {}
    for entry in renamed_texts:
        rows.setdefault(entry.label, []).append(entry.row)
    typos = find_likely_typos({label: len(numbers) for label, numbers in rows.items()})
    return [(label, other, rows[label]) for label, other in typos.items()]


def _list_typos(renamed_texts: Sequence[Labelled]) -> list[str]:
    return [
        f"label {label!r} may be a typo of {other!r}: {_format_rows(item)}; "
        f"next: correct it, or `data: {{labels: {{{label!r}: {other!r}}}}}`"
        for label, other, item in list_likely_typos(renamed_texts)
    ]


def _format_rows(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers[:_MOST_ROWS])) + (", …" if len(numbers) > _MOST_ROWS else "")
    return f"{pluralize(len(numbers), 'row')} ({listed})"
