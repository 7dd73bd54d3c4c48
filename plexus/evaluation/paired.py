"""Two configurations on the same texts: is one better, or is it luck?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Counts of texts by who was right, and McNemar's p-value: how likely a split as uneven is between equals."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float

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
    )


def p_value(only_first: int, only_second: int) -> float:
    """Two-sided, from the binomial distribution with equal chances."""
    from scipy.special import bdtr

    total, least = only_first + only_second, min(only_first, only_second)
    return 1.0 if total == 0 else min(1.0, 2 * float(bdtr(least, total, 0.5)))
