"""Time: the wall clock for records, the monotonic clock for deadlines."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """The wall clock, in Unix seconds, and the monotonic clock, in seconds; tests substitute their own."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def timestamp(self) -> str:
        """Return the current time in the format of the records."""
        return format_timestamp(self.wall())


def format_timestamp(wall: float) -> str:
    """Format Unix seconds as the records do: ISO 8601 in UTC, with milliseconds and a `Z`."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Deadline:
    """The end of an invocation, and the reserve: the seconds before it that are kept to record outcomes.

    `ends` is on the monotonic clock. The reserve covers one AWS call with all its retries (`aws.py`). `allotted` is the
    number of seconds that the invocation had when it began.
    """

    clock: Clock
    ends: float
    reserve: float
    allotted: float = math.inf

    @property
    def remaining(self) -> float:
        """Seconds until the invocation ends."""
        return self.ends - self.clock.monotonic()

    @property
    def scoring_ends(self) -> float:
        """When scoring must stop: the start of the reserve, on the monotonic clock."""
        return self.ends - self.reserve

    def allows(self, seconds: float) -> bool:
        """Return whether `seconds` of work still fit before the reserve."""
        return self.scoring_ends - self.clock.monotonic() >= seconds
