"""Exponential backoff with jitter: the pause before something that failed is tried again."""

import random
from collections.abc import Callable

LONGEST = 900.0  # seconds


def pause(attempt: int, base: float, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """Return the seconds to wait after the given attempt, the first of which is 1.

    The full pause is `base` seconds after the first attempt, doubles with each further one, and is at most 15 minutes.
    The result lies between half of it and all of it, so that many callers that failed together do not retry together.
    """
    longest = min(LONGEST, base * 2.0 ** min(max(attempt, 1) - 1, 32))
    return uniform(longest / 2, longest)
