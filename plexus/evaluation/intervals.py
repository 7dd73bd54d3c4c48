"""95 % intervals of figures that are computed from the whole confusion matrix: AC1, kappa and macro F1.

Each is Wilson's score interval for an effective number of texts: as many as would give a share of right values the
variance that the delta method gives the figure. The variance is taken at a matrix with two more texts, one right and
one wrong, so that no interval loses its width where all texts agree. `python -m bench.coverage` measures how often
each interval contains the truth.

Sources: E. B. Wilson (1927); E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small expected
number of positive counts estimated from survey data" (1998), for the effective number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plexus.evaluation.confusion import Confusion
from plexus.evaluation.proportions import compute_score_interval

#: With fewer texts of a class, no interval of kappa or macro F1 contains the truth in 95 of 100 samples.
FEWEST = 5


@dataclass(frozen=True)
class Linear:
    """A figure of shares, (labels, values), that add up to 1; `chance` is the agreement at which the figure is 0.

    A text in cell (label, value) adds `influence[label, value]` / texts to the figure; the mean over the shares is 0.
    """

    value: float
    chance: float
    influence: Any


def ac1(table: Confusion) -> tuple[float, float] | None:
    """Return the interval of Gwet's AC1 over the table's classes; None without texts or a second class."""
    if not table.total or len(table.labels) < 2:
        return None
    return _compute(count_cells(table), linearize_ac1)


def kappa(table: Confusion) -> tuple[float, float] | None:
    """Return the interval of Cohen's kappa; None if one class has all but a few labels or values."""
    counts = _count_present_cells(table)
    rest = counts.sum() - max(counts.sum(0).max(initial=0), counts.sum(1).max(initial=0))
    return _compute(counts, linearize_kappa) if rest >= FEWEST else None


def macro_f1(table: Confusion) -> tuple[float, float] | None:
    """Return the interval of macro F1; None if a class that occurs has only a few labels."""
    counts = _count_present_cells(table)
    least = min(counts.sum(1), default=0)
    return _compute(counts, linearize_macro_f1) if len(counts) > 1 and least >= FEWEST else None


def linearize_ac1(shares: Any) -> Linear:
    """Return AC1 with the influences of irrCAC's standard error, for a fixed pair of raters.

    `shares` is a square array, labels by values, whose sum is 1.
    """
    size = len(shares)
    means = (shares.sum(0) + shares.sum(1)) / 2
    chance = float((means * (1 - means)).sum() / (size - 1))
    own_chance = (2 - means[:, None] - means) / 2 / (size - 1)
    return _linearize(shares, chance, 2 * (own_chance - chance))


def linearize_kappa(shares: Any) -> Linear:
    """Return Cohen's kappa with its influences."""
    rows, columns = shares.sum(1), shares.sum(0)
    chance = float(rows @ columns)
    return _linearize(shares, chance, columns[:, None] + rows - 2 * chance)


def linearize_macro_f1(shares: Any) -> Linear:
    """Return the mean F1 of all classes, each of which must occur, with its influences; chance is 0.

    `shares` is as for `linearize_ac1`.
    """
    import numpy

    either = shares.sum(0) + shares.sum(1)
    scores = 2 * numpy.diag(shares) / either
    entry = scores / either
    influence = (numpy.diag(2 / either) - entry[:, None] - entry) / len(shares)
    return Linear(float(scores.mean()), 0.0, influence)


def _linearize(shares: Any, chance: float, drift: Any) -> Linear:
    """Return (agreement - chance) / (1 - chance); a text moves the chance by its `drift`, (labels, values) / texts."""
    import numpy

    value = (float(numpy.trace(shares)) - chance) / (1 - chance)
    own = (numpy.eye(len(shares)) - chance) / (1 - chance)
    return Linear(value, chance, own - value - (1 - value) * drift / (1 - chance))


def _compute(counts: Any, linearize: Callable[[Any], Linear]) -> tuple[float, float]:
    import numpy

    size, total = len(counts), float(counts.sum())
    right = numpy.eye(size)
    shares = (counts + right / size + (1 - right) / (size * (size - 1))) / (total + 2)
    linear, value = linearize(shares), linearize(counts / total).value
    room = 1 - linear.chance
    share, usual = (min(1.0, max(0.0, each * room + linear.chance)) for each in (value, linear.value))
    variance = float((shares * linear.influence**2).sum()) * room**2
    low, high = compute_score_interval(share, total * usual * (1 - usual) / variance)
    return (low - linear.chance) / room, (high - linear.chance) / room


def count_cells(table: Confusion) -> Any:
    """Return the matrix as an array of floats, (labels, values)."""
    import numpy

    size = len(table.labels)
    return numpy.asarray(table.counts, dtype=float).reshape(size, size)


def _count_present_cells(table: Confusion) -> Any:
    """Return the matrix of the classes that occur as label or value."""
    counts = count_cells(table)
    present = counts.sum(0) + counts.sum(1) > 0
    return counts[present][:, present]
