"""Agreement beyond chance of two raters: Cohen's kappa and Gwet's AC1.

If nearly all texts have one class, kappa is low even for raters who almost always agree; AC1 is not. Where classes are
balanced, both are about the same. For more than two raters neither applies.

Sources: J. Cohen, "A coefficient of agreement for nominal scales" (1960); K. L. Gwet, "Computing inter-rater
reliability and its variance in the presence of high agreement" (2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from plexus.evaluation.confusion import Confusion


@dataclass(frozen=True)
class Agreement:
    """A coefficient (1 is full agreement, 0 what chance gives), its standard error, and its 95 % interval.

    One text says nothing about its error: None, and the interval is -1 to 1.
    """

    value: float
    error: float | None
    low: float
    high: float


def kappa(table: Confusion) -> float | None:
    """Return Cohen's kappa, or None if undefined: without texts, or if both raters use one class only."""
    total = table.total
    if not total:
        return None
    rows = [sum(row) for row in table.counts]
    columns = [sum(column) for column in zip(*table.counts, strict=True)]
    chance = sum(row * column for row, column in zip(rows, columns, strict=True)) / total**2
    return None if chance == 1 else (table.right / total - chance) / (1 - chance)


def ac1(table: Confusion) -> Agreement | None:
    """Return Gwet's AC1 over the table's classes: None without texts, 1 if there is only one class.

    The standard error is for a fixed pair of raters, with the divisor n (n - 1) of irrCAC's raw data functions; the
    interval is Student's t with n - 1 degrees of freedom, clipped to -1 and 1.
    """
    total, size = table.total, len(table.labels)
    if not total:
        return None
    if size < 2:
        return Agreement(1.0, 0.0, 1.0, 1.0)
    shares = [
        (sum(table.counts[place]) + sum(row[place] for row in table.counts)) / (2 * total) for place in range(size)
    ]
    chance = sum(share * (1 - share) for share in shares) / (size - 1)
    value = (table.right / total - chance) / (1 - chance)
    if total == 1:
        return Agreement(value, None, -1.0, 1.0)
    error = math.sqrt(_sum_squares(table, shares, chance, value) / (total * (total - 1)))
    reach = error * _compute_quantile(total - 1)
    return Agreement(value, error, max(-1.0, value - reach), min(1.0, value + reach))


def _sum_squares(table: Confusion, shares: list[float], chance: float, value: float) -> float:
    """Return the sum of the squared influences of each text on the coefficient."""
    squares = 0.0
    for row, counts in enumerate(table.counts):
        for column, count in enumerate(counts):
            own = ((row == column) - chance) / (1 - chance)
            own_chance = (2 - shares[row] - shares[column]) / 2 / (len(shares) - 1)
            influence = own - 2 * (1 - value) * (own_chance - chance) / (1 - chance) - value
            squares += count * influence**2
    return squares


def _compute_quantile(degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.975))
