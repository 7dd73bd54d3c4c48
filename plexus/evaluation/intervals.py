"""The 95 % interval of a share."""

from __future__ import annotations

import math

#: The normal distribution's 97.5 % point.
NORMAL = 1.959963984540054


def wilson(right: int, total: int) -> tuple[float, float] | None:
    """Wilson's score interval of a share (E. B. Wilson, 1927); None of nothing."""
    if not total:
        return None
    share = right / total
    middle = share + NORMAL**2 / (2 * total)
    reach = NORMAL * math.sqrt(share * (1 - share) / total + NORMAL**2 / (4 * total**2))
    whole = 1 + NORMAL**2 / total
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)
