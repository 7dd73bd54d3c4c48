"""The table of labels against values, and the figures derived from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plexus.evaluation.proportions import wilson
from plexus.exceptions import InvalidData


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class; `support` counts texts with its label, `predicted` texts with its value.

    None if undefined (0 / 0). The 95 % intervals, (low, high), are Wilson's.
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
        """Count pairs; classes are ordered as in `declared`, then by name.

        Raises InvalidData if the numbers of values and labels differ.
        """
        if len(labels) != len(values):
            raise InvalidData(f"got {len(labels)} labels and {len(values)} values, expected one value for each label")
        first = list(dict.fromkeys(declared))
        names = (*first, *sorted({*labels, *values} - set(first)))
        counts = Counter(zip(labels, values, strict=True))
        return Confusion(names, tuple(tuple(counts[row, column] for column in names) for row in names))

    @property
    def total(self) -> int:
        """The number of texts."""
        return sum(map(sum, self.counts))

    @property
    def right(self) -> int:
        """The number of texts whose value equals their label."""
        return sum(row[place] for place, row in enumerate(self.counts))

    @property
    def accuracy(self) -> float | None:
        """The share of right values, or None without texts."""
        return _divide(self.right, self.total)

    @property
    def classes(self) -> tuple[ClassFigures, ...]:
        """The figures of each class."""
        return tuple(self._compute_figures(place) for place in range(len(self.labels)))

    @property
    def macro(self) -> tuple[float | None, float | None, float | None]:
        """Precision, recall and F1, averaged over the classes that occur as label or value.

        An undefined figure counts as 0, as in scikit-learn with zero_division=0.
        """
        present = [figures for figures in self.classes if figures.support or figures.predicted]
        if not present:
            return None, None, None
        sums = [sum(getattr(figures, name) or 0.0 for figures in present) for name in ("precision", "recall", "f1")]
        precision, recall, f1 = (total / len(present) for total in sums)
        return precision, recall, f1

    @property
    def confused(self) -> list[tuple[str, str, int]]:
        """(label, value, number of texts) of every kind of mistake, the most frequent first."""
        pairs = [
            (label, value, self.counts[row][column])
            for row, label in enumerate(self.labels)
            for column, value in enumerate(self.labels)
            if row != column and self.counts[row][column]
        ]
        return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))

    def _compute_figures(self, place: int) -> ClassFigures:
        right = self.counts[place][place]
        support = sum(self.counts[place])
        predicted = sum(row[place] for row in self.counts)
        return ClassFigures(
            self.labels[place],
            support,
            predicted,
            _divide(right, predicted),
            _divide(right, support),
            _divide(2 * right, support + predicted),
            wilson(right, predicted),
            wilson(right, support),
        )


def _divide(part: float, whole: float) -> float | None:
    return part / whole if whole else None
