"""95 % intervals of figures that have no formula for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plexus.evaluation.confusion import Confusion

SEED = 7
RESAMPLES = 1000


def interval(table: Confusion, figure: Callable[[Confusion], float | None]) -> tuple[float, float] | None:
    """Percentile bootstrap of a figure (B. Efron, 1979): 1,000 resamples of the texts, the seed fixed.

    Resampling texts is drawing tables from the multinomial distribution of this one, which is what is done.
    """
    import numpy

    if not table.total:
        return None
    size = len(table.labels)
    shares = numpy.asarray(table.counts, dtype=float).ravel() / table.total
    drawn = numpy.random.default_rng(SEED).multinomial(table.total, shares, size=RESAMPLES)
    found = [figure(_table(table.labels, row.reshape(size, size).tolist())) for row in drawn]
    known = [value for value in found if value is not None]
    if not known:
        return None
    low, high = numpy.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def _table(labels: tuple[str, ...], counts: Sequence[Sequence[int]]) -> Confusion:
    return Confusion(labels, tuple(tuple(row) for row in counts))
