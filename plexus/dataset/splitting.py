"""Divide labelled texts into parts to train and to test on, so that no part contains a text of another.

Rows that belong together (near-duplicates, or rows that are equal in a column) are never separated. The parts have the
same shares of each class, as far as the groups allow. The result depends on the texts and the seed only, not on the
order of the rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from plexus.dataset.entries import Entry, format_rows
from plexus.dataset.times import parse_times
from plexus.duplicates import Groups, group_near_duplicates
from plexus.exceptions import InvalidData
from plexus.problems import pluralize
from plexus.tables.labels import fold_label
from plexus.text import fold


def group_entries(entries: Sequence[Entry], *, by_extra: bool) -> list[list[Entry]]:
    """Return the entries that must stay together: near-duplicates, or if `by_extra` rows with an equal `extra`.

    Not both at once: a text that all customers write would make one group of them. Raises InvalidData that lists the
    rows whose column is empty.
    """
    groups = _group_equal_extras(entries) if by_extra else group_near_duplicates([entry.text for entry in entries])
    return [[entries[place] for place in places] for places in groups.list_sets(minimum=1)]


def split_by_class(groups: Sequence[Sequence[Entry]], shares: Mapping[str, float], seed: int) -> dict[int, str]:
    """Return row → part; `shares` maps each part to its share of the texts, which add up to 1.

    Large groups are placed first, each where the most of its classes is still missing. Raises InvalidData if a part
    would be empty.
    """
    entries = [entry for group in groups for entry in group]
    totals = Counter(fold_label(entry.label) for entry in entries)
    missing = {part: {label: share * count for label, count in totals.items()} for part, share in shares.items()}
    room = {part: share * len(entries) for part, share in shares.items()}
    parts: dict[int, str] = {}
    for group in sorted(groups, key=lambda members: (-len(members), _compute_order_key(members, seed))):
        classes = Counter(fold_label(entry.label) for entry in group)
        chosen = max(
            shares,
            key=lambda part: (
                sum(count * missing[part][label] / (shares[part] * totals[label]) for label, count in classes.items()),
                room[part] / shares[part],
            ),
        )
        for label, count in classes.items():
            missing[chosen][label] -= count
        room[chosen] -= len(group)
        parts.update((entry.row, chosen) for entry in group)
    _require_all(parts, shares)
    return parts


def split_by_time(entries: Sequence[Entry], shares: Mapping[str, float], form: str | None = None) -> dict[int, str]:
    """Return row → part: the earliest to the first part, the latest to the last; equal times are in one part.

    `extra` has the times, in the format `form` of strptime or, without one, as numbers or ISO 8601. Raises InvalidData
    that lists the rows without a readable time, or if a part would be empty.
    """
    times = parse_times(entries, form)
    ordered = sorted(entries, key=lambda entry: (times[entry.row], entry.row))
    names, parts = list(shares), dict[int, str]()
    place, last = 0, None
    for number, entry in enumerate(ordered):
        full = number >= round(len(ordered) * sum(shares[name] for name in names[: place + 1]))
        if full and place < len(names) - 1 and times[entry.row] != last:
            place += 1
        last = times[entry.row]
        parts[entry.row] = names[place]
    _require_all(parts, shares)
    return parts


def choose_sample(entries: Sequence[Entry], size: int, seed: int, *, balanced: bool) -> set[int]:
    """Return the rows of a random sample with the classes' own shares, or if `balanced` with equal numbers of each.

    A class that has too few for its share gives all that it has, and others fill up. Raises InvalidData if there are
    fewer texts than `size`.
    """
    if size > len(entries):
        raise InvalidData(f"got {pluralize(len(entries), 'text')}, expected at least the {size} of the sample")
    classes: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: _compute_order_key([entry], seed)):
        classes[fold_label(entry.label)].append(entry)
    taken = dict.fromkeys(classes, 0)
    rows: set[int] = set()
    while len(rows) < size:
        open_classes = [name for name in classes if taken[name] < len(classes[name])]
        name = min(
            open_classes,
            key=lambda name: ((taken[name] + 0.5) / (1 if balanced else len(classes[name])), name),
        )
        rows.add(classes[name][taken[name]].row)
        taken[name] += 1
    return rows


def _group_equal_extras(entries: Sequence[Entry]) -> Groups:
    blank = [entry.row for entry in entries if not entry.extra.strip()]
    if blank:
        raise InvalidData(
            f"the column that groups rows is empty in {format_rows(blank)}; expected a value in each row. "
            "next: fill it, or leave these rows out"
        )
    groups, places = Groups(len(entries)), dict[str, int]()
    for place, entry in enumerate(entries):
        groups.join(places.setdefault(fold(entry.extra), place), place)
    return groups


def _compute_order_key(group: Sequence[Entry], seed: int) -> tuple[bytes, int]:
    """Return a key that is random by the seed and the texts, so that the order of rows has no influence."""
    least = min(hashlib.blake2b(f"{seed}:{entry.text}".encode(errors="surrogatepass")).digest() for entry in group)
    return least, group[0].row


def _require_all(parts: Mapping[int, str], shares: Mapping[str, float]) -> None:
    empty = [part for part in shares if part not in parts.values()]
    if empty:
        raise InvalidData(
            f"no text is left for {', '.join(empty)}: {pluralize(len(parts), 'text')} in groups that stay together. "
            "next: more texts, or a larger share"
        )
