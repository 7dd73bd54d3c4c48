"""Time: a wall clock for records, a monotonic one for deadlines."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """Both clocks, in seconds; tests bring their own."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def timestamp(self) -> str:
        """Now, as records hold it."""
        return timestamp(self.wall())


def timestamp(wall: float) -> str:
    """A time as records hold it: ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Deadline:
    """When the invocation ends, and how much of it is kept to record outcomes.

    `ends` is on the monotonic clock. The reserve covers one AWS call with all its retries (`aws.py`).
    """

    clock: Clock
    ends: float
    reserve: float

    @property
    def remaining(self) -> float:
        """Seconds until the invocation ends."""
        return self.ends - self.clock.monotonic()

    @property
    def scoring_ends(self) -> float:
        """When scoring must stop, on the monotonic clock."""
        return self.ends - self.reserve

    def allows(self, seconds: float) -> bool:
        """Whether that long a piece of work still fits before the reserve."""
        return self.scoring_ends - self.clock.monotonic() >= seconds
