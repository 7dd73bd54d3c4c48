"""How long a message waits before its next receive."""

import random
from collections.abc import Callable

LONGEST = 900.0  # seconds


def pause(receive_count: int, base: float, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """A jittered pause in seconds that doubles with each receive: from half of it to the whole, at most 15 minutes."""
    whole = min(LONGEST, base * 2.0 ** min(max(receive_count, 1) - 1, 32))
    return uniform(whole / 2, whole)
