"""Decide which rows of labelled texts are kept, and how their labels are spelt; every row left out has a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plexus.dataset.entries import Dataset, Entry
from plexus.dataset.looking import find_near_pairs
from plexus.duplicates import group_equal_texts, group_near_duplicates
from plexus.exceptions import InvalidData
from plexus.problems import pluralize, suggest
from plexus.tables import labels
from plexus.tables.labels import Labelled, fold_label
from plexus.values import Item


@dataclass(frozen=True)
class CleaningResult:
    """`labels` has the label of each row that is kept, None without labels; `reasons` why each other row is not.

    A reason is a kind and a detail, such as ("duplicate", "of row 3"). Each of `notes` names a label that was read as
    another.
    """

    labels: Mapping[int, str | None]
    reasons: Mapping[int, tuple[str, str]]
    notes: Sequence[str]

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows left out by kind of reason, the most frequent first."""
        return dict(Counter(kind for kind, _ in self.reasons.values()).most_common())


def clean(
    dataset: Dataset,
    mapping: Mapping[str, str],
    others: Sequence[Dataset] = (),
    *,
    near: bool = False,
    least: int = 1,
) -> CleaningResult:
    """Return which rows are kept.

    Left out are rows without a text or a label, texts with several labels, all but the first of repeated texts (of
    near-duplicates too, if `near`), texts that `others` have, or almost, and classes of which fewer than `least` texts
    would be kept. `mapping` replaces labels; one that is
    mapped to the empty word leaves its row out. Raises InvalidData if a label of it is not in the table, or no row is
    kept.
    """
    reasons = {entry.row: ("no text", "") for entry in dataset.entries if not entry.has_text}
    entries = [entry for entry in dataset.entries if entry.has_text]
    labels_by_row, notes = _spell_labels(dataset, entries, mapping, reasons)
    entries = [entry for entry in entries if entry.row not in reasons]
    for other in others:
        for entry, twin in find_near_pairs(entries, other.entries):
            reasons.setdefault(entry.row, ("leak", f"row {twin.row} of {other.name}"))
    entries = [entry for entry in entries if entry.row not in reasons]
    _refuse_repeated(entries, labels_by_row, reasons, near=near)
    _refuse_rare([entry.row for entry in entries], labels_by_row, reasons, least)
    result = CleaningResult(
        {entry.row: labels_by_row.get(entry.row) for entry in entries if entry.row not in reasons},
        dict(sorted(reasons.items())),
        notes,
    )
    if not result.labels:
        counts = ", ".join(f"{count} {kind}" for kind, count in result.counts.items())
        raise InvalidData(f"{dataset.name}: every row would be left out: {counts}")
    return result


def _spell_labels(
    dataset: Dataset, entries: Sequence[Entry], mapping: Mapping[str, str], reasons: dict[int, tuple[str, str]]
) -> tuple[dict[int, str], Sequence[str]]:
    """Return row → label as training spells it; add the reasons of rows whose label is left out."""
    if dataset.label is None:
        if mapping:
            raise InvalidData(f"{dataset.name}: labels are mapped, but no column has labels. next: --label NAME")
        return {}, []
    # A label of rows without a text only can be mapped too: `plexus data look` lists it.
    known = {fold_label(entry.label): entry.label.strip() for entry in dataset.entries if entry.label.strip()}
    unknown = [label for label in mapping if fold_label(label) not in known]
    if unknown:
        listed = ", ".join(f"{label!r}{suggest(label, known.values())}" for label in unknown)
        raise InvalidData(f"{dataset.name}: no row has the label {listed}")
    mapped = {fold_label(label): value.strip() for label, value in mapping.items()}
    missing = labels.find_missing(entry.label for entry in entries) - mapped.keys()
    texts: list[Labelled] = []
    for entry in entries:
        if not entry.label.strip():
            reasons.setdefault(entry.row, ("no label", ""))
        elif mapped.get(fold_label(entry.label)) == "":
            reasons.setdefault(entry.row, ("mapped", f"{entry.label!r} is mapped to nothing"))
        elif fold_label(entry.label) in missing:
            reasons.setdefault(entry.row, ("no label", f"{entry.label!r}"))
        else:
            texts.append(Labelled(entry.row, Item(""), entry.label))
    if not texts:
        return {}, []
    normal = labels.normalize(texts, (), dataset.label, {label: value for label, value in mapping.items() if value})
    return {text.row: text.label for text in normal.texts}, [note.partition("; next:")[0] for note in normal.notes]


def _refuse_repeated(
    entries: Sequence[Entry], labels_by_row: Mapping[int, str], reasons: dict[int, tuple[str, str]], *, near: bool
) -> None:
    """Add the reasons of repeated texts, and of near-duplicates if `near`; the first of them stays without one."""
    texts = [entry.text for entry in entries]
    for places in group_equal_texts(texts).list_sets():
        members = [entries[place] for place in places]
        classes = sorted({labels_by_row[entry.row] for entry in members if entry.row in labels_by_row})
        for entry in members if len(classes) > 1 else members[1:]:
            if len(classes) > 1:
                reasons.setdefault(entry.row, ("conflict", f"labelled {' and '.join(classes)}"))
            else:
                reasons.setdefault(entry.row, ("duplicate", f"of row {members[0].row}"))
    if not near:
        return
    for places in group_near_duplicates(texts).list_sets():
        members = [entries[place] for place in places if entries[place].row not in reasons]
        for entry in members[1:]:
            reasons.setdefault(entry.row, ("near-duplicate", f"of row {members[0].row}"))


def _refuse_rare(
    rows: Sequence[int], labels_by_row: Mapping[int, str], reasons: dict[int, tuple[str, str]], least: int
) -> None:
    """Add the reasons of rows whose class has fewer than `least` rows without a reason."""
    kept = [row for row in rows if row not in reasons and row in labels_by_row]
    counts = Counter(labels_by_row[row] for row in kept)
    for row in kept:
        label = labels_by_row[row]
        if counts[label] < least:
            reasons[row] = ("rare", f"class {label!r} of {pluralize(counts[label], 'text')}")
