"""Two configurations on the same texts: is one better, or is it luck?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from plexus.evaluation.intervals import NORMAL


@dataclass(frozen=True)
class Comparison:
    """Counts of texts by who was right, and McNemar's p-value: how likely a split as uneven is between equals.

    `low` and `high` are the 95 % interval of the difference.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float
    low: float
    high: float

    @property
    def total(self) -> int:
        """How many texts both judged."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """The second's accuracy less the first's."""
        return (self.only_second - self.only_first) / self.total if self.total else 0.0


def compare(first: Sequence[bool], second: Sequence[bool]) -> Comparison:
    """`first[i]` and `second[i]` say whether each was right on text i. McNemar's exact test (Q. McNemar, 1947)."""
    pairs = list(zip(first, second, strict=True))
    only_first, only_second = pairs.count((True, False)), pairs.count((False, True))
    return Comparison(
        pairs.count((True, True)),
        only_first,
        only_second,
        pairs.count((False, False)),
        p_value(only_first, only_second),
        *interval(only_first, only_second, len(pairs)),
    )


def p_value(only_first: int, only_second: int) -> float:
    """Two-sided, from the binomial distribution with equal chances."""
    from scipy.special import bdtr

    total, least = only_first + only_second, min(only_first, only_second)
    return 1.0 if total == 0 else min(1.0, 2 * float(bdtr(least, total, 0.5)))


def interval(only_first: int, only_second: int, total: int) -> tuple[float, float]:
    """95 % of the second's share less the first's: Wald's formula with one text added to either side.

    Source: D. G. Bonett and R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data" (2012).
    """
    first, second = (only_first + 1) / (total + 2), (only_second + 1) / (total + 2)
    middle = second - first
    reach = NORMAL * math.sqrt((first + second - middle**2) / (total + 2))
    return max(-1.0, middle - reach), min(1.0, middle + reach)
