"""Batches with every mix of outcomes, and the records that their responses must name. Pure functions.

The rule is written a second time here, from what SQS and Lambda promise and not from the worker's code.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

LARGEST = 10  # records of a batch


class Fate(StrEnum):
    """The outcome of a record that is started."""

    DONE = "done"
    AGAIN = "already done"
    TRANSIENT = "transient"
    LOST = "failed for good"
    FOREIGN = "another account's"
    LATE = "not enough time"


KEPT = {Fate.TRANSIENT, Fate.LATE}
"""With these, the message must be delivered again."""
MIXES = [set(mix) for size in range(1, len(Fate) + 1) for mix in combinations(Fate, size)]


@dataclass(frozen=True)
class Planned:
    """One record; `group` is None in a standard queue."""

    fate: Fate
    group: str | None


@dataclass(frozen=True)
class Batch:
    """The records in the event's order. `slow` is the record that uses up the time, if others must run out of it."""

    records: tuple[Planned, ...]
    slow: int | None = None

    @property
    def mix(self) -> set[Fate]:
        """The outcomes in the batch."""
        return {self.records[number].fate for number in self.list_started()}

    @property
    def is_fifo(self) -> bool:
        """Whether the batch is from a FIFO queue."""
        return self.records[0].group is not None

    def list_started(self) -> set[int]:
        """Return the records that are started: none that follows a kept record of its group."""
        stopped: set[str | None] = set()
        names = set()
        for number, record in enumerate(self.records):
            if record.group is None or record.group not in stopped:
                names.add(number)
            if record.fate in KEPT:
                stopped.add(record.group)
        return names

    def list_named(self) -> list[int]:
        """Return the records that the response names: those that are kept, and those that are not started."""
        list_started = self.list_started()
        return [n for n, record in enumerate(self.records) if n not in list_started or record.fate in KEPT]


def turns(groups: Sequence[str | None]) -> list[int]:
    """Return the order of processing: the first record of each group, then the second, and so on."""
    place = [0 if group is None else groups[:number].count(group) for number, group in enumerate(groups)]
    return sorted(range(len(groups)), key=lambda number: (place[number], number))


def plan(chance: random.Random, mix: set[Fate], size: int, fifo: bool) -> Batch:
    """Return a batch of that size with exactly the outcomes of the mix; records without time follow a slow one."""
    while True:
        groups = [chance.choice("abc") if fifo else None for _ in range(size)]
        fates = [*sorted(mix), *chance.choices(sorted(mix), k=size - len(mix))]
        chance.shuffle(fates)
        fates.sort(key=lambda fate: fate is Fate.LATE)
        order = turns(groups)
        drawn = {number: fates[turn] for turn, number in enumerate(order)}
        slow = None
        if Fate.LATE in mix and len(mix) > 1:
            slow = order[size - fates.count(Fate.LATE) - 1]
        batch = Batch(tuple(Planned(drawn[n], groups[n]) for n in range(size)), slow)
        if batch.mix == mix and (slow is None or slow in batch.list_started()):
            return batch


def every_mix(chance: random.Random) -> list[Batch]:
    """Return every mix from a standard and a FIFO queue, mixes with late records from one of them, in all sizes."""
    batches: list[Batch] = []
    for number, mix in enumerate(MIXES):
        kinds = (number % 2 == 0,) if Fate.LATE in mix else (False, True)
        for fifo in kinds:
            before = sum(batch.is_fifo == fifo for batch in batches)
            size = max(len(mix), 1 + before % LARGEST)
            batches.append(plan(chance, mix, size, fifo))
    return batches
