"""What all trainings share: the split, the seed, the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plexus.exceptions import InvalidData

SEED = 20240229
_FOLDS = 5


@dataclass(frozen=True)
class Report:
    """How a training did on texts that its model had not seen (cross-validated): `accuracy` is in 0–1."""

    texts: int
    labels: dict[str, int]
    accuracy: float
    parameters: dict[str, Any]
    folds: int

    @classmethod
    def of(cls, labels: Sequence[str], found: Sequence[str], parameters: dict[str, Any], splits: int) -> Report:
        """From the true labels and those found outside of each fold's own texts."""
        right = sum(one == other for one, other in zip(labels, found, strict=True))
        return cls(len(labels), dict(sorted(Counter(labels).items())), right / len(labels), parameters, splits)


def folds(truths: Any) -> list[tuple[Any, Any]]:
    """Stratified (inside, outside) indexes, the same each time. Raises InvalidData when a label is too rare."""
    import numpy
    from sklearn.model_selection import StratifiedKFold

    _, counts = numpy.unique(truths, return_counts=True)
    if len(counts) < 2:
        raise InvalidData("training needs texts of at least two labels")
    if counts.min() < 2:
        raise InvalidData("training needs at least two texts of each label")
    splitter = StratifiedKFold(min(_FOLDS, int(counts.min())), shuffle=True, random_state=SEED)
    return list(splitter.split(numpy.zeros(len(truths)), truths))


def fraction_right(found: Any, truths: Any) -> float:
    """Accuracy, 0–1."""
    return float((found == truths).mean())
