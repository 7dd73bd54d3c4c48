"""Agreement beyond chance of two raters: Cohen's kappa and Gwet's AC1.

If nearly all texts have one class, kappa is low even for raters who almost always agree; AC1 is not. Where classes are
balanced, both are about the same. For more than two raters neither applies.

Sources: J. Cohen, "A coefficient of agreement for nominal scales" (1960); K. L. Gwet, "Computing inter-rater
reliability and its variance in the presence of high agreement" (2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from plexus.evaluation import intervals
from plexus.evaluation.confusion import Confusion


@dataclass(frozen=True)
class Agreement:
    """A coefficient (1 is full agreement, 0 what chance gives) and its standard error; None for one text."""

    value: float
    error: float | None


def kappa(table: Confusion) -> float | None:
    """Return Cohen's kappa, or None if undefined: without texts, or if both raters use one class only.

    From −1 to 1; 0 is the agreement of two raters who use their classes as often, at random.
    """
    total = table.total
    if not total:
        return None
    rows = [sum(row) for row in table.counts]
    columns = [sum(column) for column in zip(*table.counts, strict=True)]
    chance = sum(row * column for row, column in zip(rows, columns, strict=True)) / total**2
    return None if chance == 1 else (table.right / total - chance) / (1 - chance)


def ac1(table: Confusion) -> Agreement | None:
    """Return Gwet's AC1 over the table's classes: None without texts, 1 if there is only one class.

    The standard error is for a fixed pair of raters, with the divisor n (n - 1) of irrCAC's raw data functions.
    """
    if not table.total:
        return None
    if len(table.labels) < 2:
        return Agreement(1.0, 0.0)
    counts = intervals.count_cells(table)
    linear = intervals.linearize_ac1(counts / table.total)
    if table.total == 1:
        return Agreement(linear.value, None)
    squares = float((counts * linear.influence**2).sum())
    return Agreement(linear.value, math.sqrt(squares / (table.total * (table.total - 1))))
