"""95 % intervals by resampling, for figures without a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from plexus.evaluation.confusion import Confusion

SEED = 7
RESAMPLES = 1000
#: Cells per draw, so that memory is bounded for any number of classes.
_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Margins:
    """Counts of one resample by class, each (classes,): texts with the label, with the value, with both."""

    support: Any
    predicted: Any
    right: Any


def interval(table: Confusion, figure: Callable[[Margins], float | None]) -> tuple[float, float] | None:
    """Return the percentile bootstrap interval of a figure (B. Efron, 1979): 1,000 resamples, fixed seed.

    Resampling texts is equivalent to drawing tables from the multinomial distribution of this table, which is faster.
    None without texts, or if the figure is undefined in every resample.
    """
    import numpy

    if not table.total:
        return None
    known = [value for value in map(figure, _resample(table)) if value is not None]
    if not known:
        return None
    low, high = numpy.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def kappa(drawn: Margins) -> float | None:
    """Return Cohen's kappa, as `agreement.kappa` does for a table."""
    total = drawn.support.sum()
    chance = float((drawn.support * drawn.predicted).sum() / total**2)
    return None if chance == 1 else float((drawn.right.sum() / total - chance) / (1 - chance))


def macro_f1(drawn: Margins) -> float | None:
    """Return the macro average of F1, as `Confusion.macro` does."""
    either = drawn.support + drawn.predicted
    present = either > 0
    return float((2 * drawn.right[present] / either[present]).mean())


def _resample(table: Confusion) -> Iterator[Margins]:
    import numpy

    size = len(table.labels)
    cells = [(row, column) for row, counts in enumerate(table.counts) for column, count in enumerate(counts) if count]
    # The multinomial draw gives the remainder to the last cell: it must be the table's last, or the draws change.
    cells = list(dict.fromkeys([*cells, (size - 1, size - 1)]))
    rows, columns = (numpy.asarray(each) for each in zip(*cells, strict=True))
    shares = numpy.asarray([table.counts[row][column] for row, column in cells], dtype=float) / table.total
    random = numpy.random.default_rng(SEED)
    most = max(1, _AT_ONCE // len(cells))
    for begin in range(0, RESAMPLES, most):
        for drawn in random.multinomial(table.total, shares, size=min(most, RESAMPLES - begin)):
            right = numpy.bincount(rows[rows == columns], drawn[rows == columns], size)
            yield Margins(numpy.bincount(rows, drawn, size), numpy.bincount(columns, drawn, size), right)
