"""Describe a table of labelled texts: its contents, and the faults that would mislead training or evaluation."""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from plexus.dataset import languages, structure
from plexus.dataset.entries import Dataset, Entry, format_rows, is_date
from plexus.dataset.structure import Finding
from plexus.duplicates import group_equal_texts, group_near_duplicates
from plexus.problems import pluralize
from plexus.tables import labels
from plexus.tables.labels import Labelled, fold_label
from plexus.values import Item

#: A class of fewer texts cannot be measured: each of 20 moves its recall by five points.
FEW = 20
_MOST_EXAMPLES = 3
_LOST = re.compile("[\N{REPLACEMENT CHARACTER}\x80-\x9f]")
_BARS = 12


@dataclass(frozen=True)
class LabelCount:
    """A class: its most frequent spelling, its texts, and every spelling with its number of rows."""

    label: str
    texts: int
    spellings: dict[str, int]


@dataclass(frozen=True)
class Look:
    """The contents of a table. `lengths` are those of its texts in characters, ascending; `languages` are guessed."""

    dataset: Dataset
    lengths: tuple[int, ...]
    languages: dict[str, int]
    labels: tuple[LabelCount, ...]
    findings: tuple[Finding, ...]

    def length(self, share: float) -> int:
        """Return the length that this share of the texts does not exceed; 0 without texts."""
        return self.lengths[min(len(self.lengths) - 1, int(share * len(self.lengths)))] if self.lengths else 0

    @property
    def histogram(self) -> list[tuple[int, int, int]]:
        """Return at most twelve (shortest, longest, texts) of equal width in characters.

        Both limits are inclusive, and bars without texts are included.
        """
        if not self.lengths:
            return []
        low, width = self.lengths[0], max(1, -(-(self.lengths[-1] + 1 - self.lengths[0]) // _BARS))
        bars = Counter((length - low) // width for length in self.lengths)
        last = (self.lengths[-1] - low) // width
        return [(low + bar * width, low + (bar + 1) * width - 1, bars[bar]) for bar in range(last + 1)]

    def as_dict(self) -> dict[str, object]:
        """Return JSON values; no text is among them."""
        marks = {"shortest": 0.0, "median": 0.5, "p95": 0.95, "longest": 1.0}
        return {
            "file": self.dataset.name,
            "rows": len(self.dataset.entries),
            "columns": list(self.dataset.columns),
            "text": self.dataset.text,
            "label": self.dataset.label,
            "texts": len(self.lengths),
            "characters": {name: self.length(share) for name, share in marks.items()} if self.lengths else None,
            "languages": self.languages,
            "labels": [asdict(entry) for entry in self.labels],
            "findings": [asdict(entry) for entry in self.findings],
        }


def look(dataset: Dataset, others: Sequence[Dataset] = ()) -> Look:
    """Return a dataset's contents and faults, among them the texts that it shares with `others`.

    Findings are grouped by kind, in a fixed order; rows are numbered from 1.
    """
    kept = [entry for entry in dataset.entries if entry.has_text]
    findings = [
        *_find_empty(dataset),
        *structure.find_described_columns(dataset),
        *structure.find_joined_labels(dataset),
    ]
    findings += [*_find_spelling_faults(dataset), *_find_damaged(kept), *_find_repeated(kept)]
    for other in others:
        findings += _find_leaks(kept, other)
    return Look(
        dataset,
        tuple(sorted(len(entry.text) for entry in kept)),
        languages.count_languages(entry.text for entry in kept),
        _count_labels(dataset),
        tuple(findings),
    )


def find_near_pairs(first: Sequence[Entry], second: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Return each entry of `first` that has a near-duplicate in `second`, with the first of these.

    In the order of `first`. Entries without text in `second` match nothing.
    """
    texts = [entry.text for entry in (*second, *first)]
    groups = group_near_duplicates(texts)
    twins: dict[int, Entry] = {}
    for place, entry in enumerate(second):
        if entry.has_text:
            twins.setdefault(groups.find_first(place), entry)
    places = enumerate(first, start=len(second))
    return [(entry, twins[groups.find_first(place)]) for place, entry in places if groups.find_first(place) in twins]


def _count_labels(dataset: Dataset) -> tuple[LabelCount, ...]:
    spellings: dict[str, Counter[str]] = {}
    for entry in dataset.entries:
        if dataset.label is not None and entry.label.strip():
            spellings.setdefault(fold_label(entry.label), Counter())[entry.label] += 1
    counted_labels = [
        LabelCount(counts.most_common(1)[0][0].strip(), counts.total(), dict(counts.most_common()))
        for counts in spellings.values()
    ]
    return tuple(sorted(counted_labels, key=lambda count: (-count.texts, count.label)))


def _find_empty(dataset: Dataset) -> list[Finding]:
    remedy = "plexus data clean leaves them out"
    blank = tuple(entry.row for entry in dataset.entries if not entry.has_text)
    findings = [Finding("no text", f"{pluralize(len(blank), 'row')} without a text", blank, remedy)] if blank else []
    if dataset.label is None:
        return findings
    bare = tuple(entry.row for entry in dataset.entries if entry.has_text and not entry.label.strip())
    missing = labels.find_missing(entry.label for entry in dataset.entries)
    words = tuple(entry.row for entry in dataset.entries if entry.has_text and fold_label(entry.label) in missing)
    if bare:
        findings.append(Finding("no label", f"{pluralize(len(bare), 'text')} without a label", bare, remedy))
    if words:
        spelt = sorted({entry.label.strip() for entry in dataset.entries if fold_label(entry.label) in missing})
        message = f"{pluralize(len(words), 'label')} that usually {'mean' if len(words) > 1 else 'means'} a missing one"
        message += f": {', '.join(spelt)}"
        findings.append(
            Finding("no label", message, words, f"{remedy}; --map {shlex.quote(f'{spelt[0]}={spelt[0]}')} keeps them")
        )
    return findings


def _find_spelling_faults(dataset: Dataset) -> list[Finding]:
    """List spellings of one class, likely typos and rare classes, as training and evaluation read labels."""
    missing = labels.find_missing(entry.label for entry in dataset.entries)
    usable = [
        Labelled(entry.row, Item(""), entry.label)
        for entry in dataset.entries
        if entry.label.strip() and fold_label(entry.label) not in missing
    ]
    if dataset.label is None or not usable:
        return []
    normal = labels.normalize(usable, (), dataset.label, {})
    variants = [note for note in normal.notes if "may be a typo" not in note]
    findings = []
    if variants:
        message = f"{pluralize(len(variants), 'spelling')} of labels read as another: {'; '.join(variants)}"
        findings.append(Finding("spelling", message, (), "plexus data clean writes one spelling"))
    typos = labels.list_likely_typos(normal.texts)
    for label, other, rows in typos:
        message = f"label {label!r} may be a typo of {other!r}: {format_rows(rows)}"
        remedy = f"plexus data clean --map {shlex.quote(f'{label}={other}')}"
        findings.append(Finding("typo", message, tuple(rows), remedy))
    known = {label for label, _, _ in typos}
    counts = Counter(text.label for text in normal.texts if text.label not in known)
    return [*findings, *_find_unusable_classes(dataset.label, counts)]


def _find_unusable_classes(column: str, counts: Counter[str]) -> list[Finding]:
    """List classes that cannot be learned or measured, and a column that holds no classes at all."""
    if len(counts) == 1:
        message = f"column {column!r} has one class, {next(iter(counts))!r}: a model needs at least two"
        return [Finding("one class", message, (), "add texts of another class, or name another column: --label NAME")]
    if len(counts) > FEW and all(map(_is_number, counts)):
        message = f"column {column!r} has {len(counts)} different numbers, from {min(counts, key=float)} to "
        message += f"{max(counts, key=float)}: a scale, and each number would be a class of its own"
        return [Finding("no classes", message, (), "write a column with a class for each range; or --label NAME")]
    if len(counts) > FEW and all(map(is_date, counts)):
        message = f"column {column!r} has {len(counts)} different days, and each would be a class of its own"
        return [Finding("no classes", message, (), "name the column of labels: --label NAME")]
    if counts.total() >= FEW and 2 * len(counts) > counts.total():
        message = f"column {column!r} has {len(counts)} different labels in {counts.total()} texts: names or numbers?"
        return [
            Finding("no classes", message, (), "name the column of labels: --label NAME; or merge labels: clean --map")
        ]
    rare = [(label, count) for label, count in counts.most_common() if count < FEW]
    if not rare:
        return []
    names = ", ".join(f"{label} ({count})" for label, count in rare[:5]) + (", …" if len(rare) > 5 else "")
    message = f"{len(rare)} class{'es' * (len(rare) != 1)} of fewer than {FEW} texts: {names}"
    remedy = "label more of them, or plexus data clean: --map merges classes, --least-texts leaves rare ones out"
    return [Finding("rare", message, (), remedy)]


def _is_number(label: str) -> bool:
    try:
        return math.isfinite(float(label))
    except ValueError:
        return False


def _find_damaged(entries: Sequence[Entry]) -> list[Finding]:
    rows = tuple(entry.row for entry in entries if is_damaged(entry.text))
    if not rows:
        return []
    message = f"{pluralize(len(rows), 'text')} with letters that a wrong encoding destroyed"
    return [Finding("encoding", message, rows, "export the file again as UTF-8, or try --encoding")]


def is_damaged(text: str) -> bool:
    """Return whether letters are lost (U+FFFD), or were read in a wrong encoding.

    UTF-8 that is read as Windows-1252 shows `Ã©` for `é`; Windows-1252 that is read as Latin-1 has invisible control
    characters in place of quotes and dashes.
    """
    if _LOST.search(text):
        return True
    if text.isascii():
        return False
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False


def _find_repeated(entries: Sequence[Entry]) -> list[Finding]:
    texts = [entry.text for entry in entries]
    same = [[entries[place] for place in places] for places in group_equal_texts(texts).list_sets()]
    exact = {entry.row for group in same for entry in group[1:]}
    near = [[entries[place] for place in places] for places in group_near_duplicates(texts).list_sets()]
    findings = []
    if same:
        message = f"{pluralize(sum(len(group) - 1 for group in same), 'text')} repeated: {_format_examples(same)}"
        findings.append(Finding("duplicate", message, tuple(sorted(exact)), "plexus data clean keeps the first"))
    rest = [group for group in near if len({entry.row for entry in group} - exact) > 1]
    if rest:
        extra = [entry.row for group in rest for entry in group[1:] if entry.row not in exact]
        message = f"{pluralize(len(extra), 'text')} almost repeated: {_format_examples(rest)}"
        remedy = "plexus data split keeps them together; clean --near leaves them out"
        findings.append(Finding("near-duplicate", message, tuple(sorted(extra)), remedy))
    torn = [group for group in same if len({fold_label(entry.label) for entry in group if entry.label.strip()}) > 1]
    if torn:
        rows = tuple(sorted(entry.row for group in torn for entry in group))
        message = f"{pluralize(len(torn), 'text')} with several labels: {_format_examples(torn)}"
        findings.append(Finding("conflict", message, rows, "decide on one; plexus data clean leaves all out"))
    return findings


def _find_leaks(entries: Sequence[Entry], other: Dataset) -> list[Finding]:
    pairs = find_near_pairs(entries, other.entries)
    if not pairs:
        return []
    examples = "; ".join(f"row {entry.row} is row {twin.row} there" for entry, twin in pairs[:_MOST_EXAMPLES])
    message = f"{pluralize(len(pairs), 'text')} of {len(entries)} also in {other.name}, or almost: {examples}"
    rows = tuple(entry.row for entry, _ in pairs)
    return [Finding("leak", message, rows, f"plexus data clean --without {other.name}")]


def _format_examples(groups: Sequence[Sequence[Entry]]) -> str:
    listing = "; ".join(format_rows((entry.row for entry in group), 4) for group in groups[:_MOST_EXAMPLES])
    return listing + ("; …" if len(groups) > _MOST_EXAMPLES else "")
