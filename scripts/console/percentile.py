"""Percentiles of durations, as the dashboard and the shadow report them."""

import math
from collections.abc import Sequence


def compute_percentile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile `share` (0 to 1) of sorted, non-empty values."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
