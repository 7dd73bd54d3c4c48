"""The table of labels against values, and the figures that are read off it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plexus.evaluation.intervals import wilson
from plexus.exceptions import InvalidData


@dataclass(frozen=True)
class ClassFigures:
    """One class: how many texts have it as label (`support`) and as value (`predicted`), and how well it is found.

    None where undefined: 0 / 0. The 95 % intervals, (low, high), are Wilson's.
    """

    label: str
    support: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    precision_interval: tuple[float, float] | None
    recall_interval: tuple[float, float] | None


@dataclass(frozen=True)
class Confusion:
    """`counts[row][column]` texts have the label `labels[row]` and got the value `labels[column]`."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @staticmethod
    def of(labels: Sequence[str], values: Sequence[str], declared: Iterable[str] = ()) -> Confusion:
        """Counts pairs; classes in the order of `declared`, then others by name.

        Raises InvalidData when there are not as many values as labels.
        """
        if len(labels) != len(values):
            raise InvalidData(f"{len(labels)} labels and {len(values)} values: expected one value for each label")
        first = list(dict.fromkeys(declared))
        names = (*first, *sorted({*labels, *values} - set(first)))
        found = Counter(zip(labels, values, strict=True))
        return Confusion(names, tuple(tuple(found[row, column] for column in names) for row in names))

    @property
    def total(self) -> int:
        """How many texts there are."""
        return sum(map(sum, self.counts))

    @property
    def right(self) -> int:
        """How many got the value that is their label."""
        return sum(row[place] for place, row in enumerate(self.counts))

    @property
    def accuracy(self) -> float | None:
        """The share of right values; None without texts."""
        return _share(self.right, self.total)

    @property
    def classes(self) -> tuple[ClassFigures, ...]:
        """Each class by itself."""
        return tuple(self._class(place) for place in range(len(self.labels)))

    @property
    def macro(self) -> tuple[float | None, float | None, float | None]:
        """Precision, recall and F1, averaged over the classes that some text has as label or value.

        A class whose figure is undefined counts as 0, as in scikit-learn with zero_division=0.
        """
        seen = [each for each in self.classes if each.support or each.predicted]
        if not seen:
            return None, None, None
        sums = [sum(getattr(each, name) or 0.0 for each in seen) for name in ("precision", "recall", "f1")]
        precision, recall, f1 = (total / len(seen) for total in sums)
        return precision, recall, f1

    @property
    def confused(self) -> list[tuple[str, str, int]]:
        """(label, value, texts) of every mistake that was made, the most frequent first."""
        found = [
            (label, value, self.counts[row][column])
            for row, label in enumerate(self.labels)
            for column, value in enumerate(self.labels)
            if row != column and self.counts[row][column]
        ]
        return sorted(found, key=lambda each: (-each[2], each[0], each[1]))

    def _class(self, place: int) -> ClassFigures:
        right = self.counts[place][place]
        support = sum(self.counts[place])
        predicted = sum(row[place] for row in self.counts)
        return ClassFigures(
            self.labels[place],
            support,
            predicted,
            _share(right, predicted),
            _share(right, support),
            _share(2 * right, support + predicted),
            wilson(right, predicted),
            wilson(right, support),
        )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
