"""Proportions and their differences: Wilson's interval, and two configurations on the same texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: The normal distribution's 97.5 % point.
NORMAL = 1.959963984540054
#: Below this p-value two scores differ; the 95 % interval of their difference excludes 0.
SIGNIFICANT = 0.05


def wilson(right: int, total: int) -> tuple[float, float] | None:
    """Return Wilson's 95 % score interval of right / total (E. B. Wilson, 1927), or None if total is 0."""
    return compute_score_interval(right / total, total) if total else None


def compute_score_interval(share: float, total: float) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a share, 0 to 1, of `total` texts, which need not be a whole number."""
    middle = share + NORMAL**2 / (2 * total)
    reach = NORMAL * math.sqrt(share * (1 - share) / total + NORMAL**2 / (4 * total**2))
    whole = 1 + NORMAL**2 / total
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


@dataclass(frozen=True)
class Comparison:
    """Two scores on the same texts: counts by which was right, and McNemar's p-value.

    `low` and `high` are the 95 % interval of the difference in accuracy. It excludes 0 if and only if the p-value is
    below 0.05.
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
        """The number of texts."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """The second score's accuracy minus the first's."""
        return (self.only_second - self.only_first) / self.total if self.total else 0.0

    @property
    def is_real(self) -> bool:
        """Whether McNemar's test rejects that both are equally good."""
        return self.p_value < SIGNIFICANT


def compare(first: Sequence[bool], second: Sequence[bool]) -> Comparison:
    """Compare two scores by McNemar's exact test (Q. McNemar, 1947).

    `first[i]` and `second[i]` are whether each score was right on text i.
    """
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
    """Return the two-sided p-value, from the binomial distribution with p = 0.5."""
    from scipy.special import bdtr

    total, least = only_first + only_second, min(only_first, only_second)
    return 1.0 if total == 0 else min(1.0, 2 * float(bdtr(least, total, 0.5)))


def interval(only_first: int, only_second: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference, second minus first; -1 to 1 without texts.

    Tango's, extended to 0 unless McNemar's exact test rejects that: on few texts the two would contradict each other.
    """
    low, high = compute_tango_interval(only_first, only_second, total)
    if p_value(only_first, only_second) < SIGNIFICANT:
        return low, high
    return min(low, 0.0), max(high, 0.0)


def compute_tango_interval(only_first: int, only_second: int, total: int) -> tuple[float, float]:
    """Return the 95 % score interval of the difference, second minus first; -1 to 1 without texts.

    It has the differences that the score test of paired shares does not reject. Source: T. Tango, "Equivalence test and
    confidence interval for the difference in proportions for the paired-sample design" (1998).
    """
    if not total:
        return -1.0, 1.0
    observed = (only_second - only_first) / total

    def is_rejected(difference: float) -> bool:
        # The likeliest share of texts on which only the first is right, if the difference is this one.
        half = (total * (2 - observed) * difference - only_first - only_second) / (2 * total)
        product = -only_first * difference * (1 - difference) / (2 * total)
        share = math.sqrt(max(0.0, half**2 / 4 - product)) - half / 2
        variance = (2 * share + difference * (1 - difference)) / total
        return (observed - difference) ** 2 > NORMAL**2 * variance

    return find_bound(is_rejected, -1.0, observed), find_bound(is_rejected, 1.0, observed)


def find_bound(is_outside: Callable[[float], bool], outer: float, inner: float) -> float:
    """Return by bisection where `is_outside` changes between an outer number and one inside.

    `is_outside` must be true at `outer` and false at `inner`, and change once between them. Exact to 2^-60 of their
    distance.
    """
    for _ in range(60):
        middle = (outer + inner) / 2
        if is_outside(middle):
            outer = middle
        else:
            inner = middle
    return (outer + inner) / 2
