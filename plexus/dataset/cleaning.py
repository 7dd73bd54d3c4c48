"""Decide which rows of labelled texts are kept, and how their labels are spelt; every row left out has a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plexus.dataset.duplicates import near_texts, same_texts
from plexus.dataset.entries import Dataset, Entry
from plexus.dataset.looking import pairs_between
from plexus.exceptions import InvalidData
from plexus.problems import suggest
from plexus.tables import labels
from plexus.tables.labels import Labelled, key
from plexus.values import Item


@dataclass(frozen=True)
class Cleaned:
    """`labels` has the label of each row that is kept, None without labels; `reasons` why each other row is not.

    A reason is a kind and a detail, such as ("duplicate", "of row 3"). `notes` list labels that were read as others.
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
) -> Cleaned:
    """Return which rows are kept.

    Left out are rows without a text or a label, texts with several labels, all but the first of repeated texts (of
    near-duplicates too, if `near`), and texts that `others` have, or almost. `mapping` replaces labels; one that is
    mapped to the empty word leaves its row out. Raises InvalidData if a label of it is not in the table, or no row is
    kept.
    """
    reasons: dict[int, tuple[str, str]] = {}
    kept = [entry for entry in dataset.entries if entry.has_text or _refuse(reasons, entry, "no text", "")]
    spelt, notes = _labels(dataset, kept, mapping, reasons)
    kept = [entry for entry in kept if entry.row not in reasons]
    for other in others:
        for entry, twin in pairs_between(kept, other.entries):
            _refuse(reasons, entry, "leak", f"row {twin.row} of {other.name}")
    kept = [entry for entry in kept if entry.row not in reasons]
    _refuse_repeated(kept, spelt, reasons, near=near)
    if len(reasons) == len(dataset.entries):
        raise InvalidData(f"{dataset.name}: every row would be left out: {_summary(reasons)}")
    named = {entry.row: spelt.get(entry.row) for entry in kept if entry.row not in reasons}
    return Cleaned(named, dict(sorted(reasons.items())), notes)


def _labels(
    dataset: Dataset, kept: Sequence[Entry], mapping: Mapping[str, str], reasons: dict[int, tuple[str, str]]
) -> tuple[dict[int, str], Sequence[str]]:
    """Return row → label as training spells it; add the reasons of rows whose label is left out."""
    if dataset.label is None:
        if mapping:
            raise InvalidData(f"{dataset.name}: labels are mapped, but no column has labels. next: --label NAME")
        return {}, []
    known = {key(entry.label): entry.label.strip() for entry in kept if entry.label.strip()}
    unknown = [label for label in mapping if key(label) not in known]
    if unknown:
        listed = ", ".join(f"{label!r}{suggest(label, known.values())}" for label in unknown)
        raise InvalidData(f"{dataset.name}: no row has the label {listed}")
    mapped = {key(label): value.strip() for label, value in mapping.items()}
    texts: list[Labelled] = []
    for entry in kept:
        if not entry.label.strip():
            _refuse(reasons, entry, "no label", "")
        elif mapped.get(key(entry.label)) == "":
            _refuse(reasons, entry, "mapped", f"{entry.label!r} is mapped to nothing")
        elif key(entry.label) in labels.MISSING and key(entry.label) not in mapped:
            _refuse(reasons, entry, "no label", f"{entry.label!r}")
        else:
            texts.append(Labelled(entry.row, Item(""), entry.label))
    if not texts:
        return {}, []
    normal = labels.normalize(texts, (), dataset.label, {label: value for label, value in mapping.items() if value})
    return {text.row: text.label for text in normal.texts}, [note.partition("; next:")[0] for note in normal.notes]


def _refuse_repeated(
    kept: Sequence[Entry], spelt: Mapping[int, str], reasons: dict[int, tuple[str, str]], *, near: bool
) -> None:
    texts = [entry.text for entry in kept]
    for places in same_texts(texts).sets():
        members = [kept[place] for place in places]
        classes = sorted({spelt[entry.row] for entry in members if entry.row in spelt})
        for entry in members if len(classes) > 1 else members[1:]:
            if len(classes) > 1:
                _refuse(reasons, entry, "conflict", f"labelled {' and '.join(classes)}")
            else:
                _refuse(reasons, entry, "duplicate", f"of row {members[0].row}")
    if not near:
        return
    for places in near_texts(texts).sets():
        members = [kept[place] for place in places if kept[place].row not in reasons]
        for entry in members[1:]:
            _refuse(reasons, entry, "near-duplicate", f"of row {members[0].row}")


def _refuse(reasons: dict[int, tuple[str, str]], entry: Entry, kind: str, detail: str) -> bool:
    reasons.setdefault(entry.row, (kind, detail))
    return False


def _summary(reasons: Mapping[int, tuple[str, str]]) -> str:
    counts = Counter(kind for kind, _ in reasons.values())
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
