"""What all trainings share: the split, the seed, the report."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plexus.exceptions import InvalidData
from plexus.text import fold

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


def folds(texts: Sequence[str], labels: Sequence[str], truths: Any) -> list[tuple[Any, Any]]:
    """Stratified (inside, outside) indexes, the same each time; equal texts are on the same side.

    Raises InvalidData when a label is too rare.
    """
    import numpy

    _enough(texts, labels)
    first: dict[str, int] = {}
    group = numpy.asarray([first.setdefault(fold(text), len(first)) for text in texts])
    _, leaders = numpy.unique(group, return_index=True)  # the first of equal texts: the others go where it goes
    for rows in (numpy.arange(len(truths)), leaders):
        part = _parts(truths, rows)[leaders][group]
        made = [(numpy.flatnonzero(part != place), numpy.flatnonzero(part == place)) for place in numpy.unique(part)]
        if all(len(set(truths[inside])) == len(set(truths)) for inside, _ in made):
            return made
    raise InvalidData("training needs more different texts of each label, and equal texts under one label")


def _parts(truths: Any, rows: Any) -> Any:
    """The fold of each of these rows, -1 for all others."""
    import numpy
    from sklearn.model_selection import StratifiedKFold

    found = numpy.full(len(truths), -1)
    size = min(_FOLDS, int(numpy.bincount(truths[rows]).max()))
    if size > 1:
        splitter = StratifiedKFold(size, shuffle=True, random_state=SEED)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # of labels with fewer texts than folds: some have none of them
            for place, (_, outside) in enumerate(splitter.split(rows, truths[rows])):
                found[rows[outside]] = place
    return found


def _enough(texts: Sequence[str], labels: Sequence[str]) -> None:
    """Raises InvalidData, naming labels, where there is nothing to learn from or to measure on."""
    different = Counter(label for _, label in {(fold(text), label) for text, label in zip(texts, labels, strict=True)})
    if len(different) < 2:
        raise InvalidData(
            f"training needs texts of at least two labels; there is only {', '.join(map(repr, different))}"
        )
    rare = sorted(label for label, count in different.items() if count < 2)
    if rare:
        shown = ", ".join(map(repr, rare[:10])) + (" …" if len(rare) > 10 else "")
        raise InvalidData(f"training needs at least two different texts of each label; one has {shown}")


def strengths(matrix: Any, truths: Any, contrast: float) -> Any:
    """How much each term is to weigh, (terms,): as much as any other (`contrast` 0) to as much as it tells (1).

    What a term tells is the logarithm of the ratio of its share among the texts of a class to that among the others,
    of the class where it is largest. `truths` are numbers of classes. The rows' mean square is kept, float32.
    Source: S. Wang, C. Manning, "Baselines and bigrams" (2012), there as naive Bayes' ratios before a linear machine.
    """
    import numpy

    present = (matrix > 0).astype(numpy.float64)
    total = numpy.asarray(present.sum(axis=0))[0]
    told = numpy.zeros(matrix.shape[1])
    for label in range(int(truths.max()) + 1):
        own = truths == label
        within = numpy.asarray(present[own].sum(axis=0))[0]
        # One more text with the term and one without it on either side: what is rare tells little.
        ratio = (within + 1) / (own.sum() + 2) * (len(truths) - own.sum() + 2) / (total - within + 1)
        told = numpy.maximum(told, numpy.abs(numpy.log(ratio)))
    squares = numpy.asarray(matrix.multiply(matrix).sum(axis=0), dtype=numpy.float64)[0]
    told /= numpy.sqrt((squares @ told**2) / squares.sum() + 1e-12)
    return (contrast * told + 1 - contrast).astype(numpy.float32)


def weighted(matrix: Any, strengths: Any) -> Any:
    """The columns of a CSR matrix times their strengths, shape (texts, terms)."""
    from scipy.sparse import diags

    return (matrix @ diags(strengths)).tocsr()


def chosen(found: Sequence[Any], truths: Any, contrasts: Sequence[float]) -> int:
    """The number of the choice that is most often right, each choice's classes being `found`; of equals the first.

    One with a contrast must be ahead of the best without by more than the difference's own standard error.
    """
    right = [classes == truths for classes in found]
    counts = [int(each.sum()) for each in right]
    best = counts.index(max(counts))
    plain = max((place for place, contrast in enumerate(contrasts) if not contrast), key=counts.__getitem__)
    differ = int((right[best] != right[plain]).sum())
    return best if counts[best] - counts[plain] > math.sqrt(differ) else plain
