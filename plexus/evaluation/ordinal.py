"""Figures of labels that are numbers, such as stars: how far off the values are, which the classes' own do not show.

Source: J. Cohen, "Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit"
(1968).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from plexus.evaluation.confusion import Confusion
from plexus.evaluation.proportions import wilson

#: Two numbers have no order that their classes' figures do not show.
FEWEST = 3


@dataclass(frozen=True)
class Ordinal:
    """The mean absolute error, the share of values at most one off with its 95 % interval, and weighted kappa.

    The error is in units of the labels. Kappa's weights are the squares of the differences; None if undefined.
    """

    mean_error: float
    within_one: float
    within_one_interval: tuple[float, float] | None
    weighted_kappa: float | None


def measure(table: Confusion) -> Ordinal | None:
    """Return the figures of an order; None without texts, with a label that is no number, or with fewer than three.

    Distances are in the labels' own unit, such as stars. The share of values at most 1 away has its interval.
    """
    numbers = [_read_number(label) for label in table.labels]
    known = [number for number in numbers if number is not None]
    if not table.total or len(known) < len(numbers) or len(known) < FEWEST:
        return None
    cells = [
        (abs(label - value), count)
        for label, row in zip(known, table.counts, strict=True)
        for value, count in zip(known, row, strict=True)
    ]
    near = sum(count for distance, count in cells if distance <= 1)
    return Ordinal(
        sum(distance * count for distance, count in cells) / table.total,
        near / table.total,
        wilson(near, table.total),
        _compute_weighted_kappa(table, known, sum(distance**2 * count for distance, count in cells) / table.total),
    )


def _compute_weighted_kappa(table: Confusion, numbers: list[float], observed: float) -> float | None:
    """Return 1 - observed / expected mean squared difference; None if all labels and values are one number."""
    rows, columns = [sum(row) for row in table.counts], [sum(column) for column in zip(*table.counts, strict=True)]
    expected = sum(
        row * column * (label - value) ** 2
        for label, row in zip(numbers, rows, strict=True)
        for value, column in zip(numbers, columns, strict=True)
    ) / (table.total**2)
    return 1 - observed / expected if expected else None


def _read_number(label: str) -> float | None:
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
