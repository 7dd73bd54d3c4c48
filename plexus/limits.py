"""Limits of a computation's work, memory and time, which are counted while it runs.

Everything that a scorecard can make the engine compute pays here: expressions, templates, regular expressions,
processors and the search for passages. An operation is paid before it runs, at a price that depends on its operands,
so the most expensive one that runs is bounded, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from plexus.exceptions import DeadlineExceeded, LimitExceeded

#: Units of work; one is about a nanosecond. A character costs 1 to compare, 10 to split, 10 to 100 to fold.
EVALUATION_WORK = 1_000_000_000
SCORE_WORK = 60_000_000_000
#: Bytes of the values that exist at the same time, beside the item and the scorecard.
EVALUATION_BYTES = 64 * 2**20
SCORE_BYTES = 512 * 2**20
#: Units of work between two checks of the deadline: about a millisecond.
CHECK_EVERY = 1_000_000

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_current: ContextVar[Meter | None] = ContextVar("meter", default=None)


class Meter:
    """Counts one computation. Raises LimitExceeded above a limit, and DeadlineExceeded once its deadline has passed.

    `subject` is what messages name, such as `the expression`. `held` are the bytes of values that still exist; the
    caller sets it back when values die. The deadline is that of the block of `apply_deadline`
    in which the meter was created.
    """

    __slots__ = (
        "_deadline",
        "_next_check",
        "checks",
        "folded",
        "held",
        "maximum_bytes",
        "maximum_work",
        "subject",
        "work",
    )

    def __init__(
        self, subject: str, *, maximum_work: int = EVALUATION_WORK, maximum_bytes: int = EVALUATION_BYTES
    ) -> None:
        self.subject, self.maximum_work, self.maximum_bytes = subject, maximum_work, maximum_bytes
        self.work = self.held = self.checks = 0
        self.folded: dict[str, str] = {}
        self._deadline = _deadline.get()
        self._next_check = 0

    def pay(self, work: int) -> None:
        """Count units of work that are about to be done."""
        self.work += work
        if self.work >= self._next_check:
            self._check()

    def hold(self, size: int) -> None:
        """Count bytes of a value that stays."""
        self.held += size
        if self.held > self.maximum_bytes:
            self._refuse_bytes()

    def need(self, size: int) -> None:
        """Check that `size` more bytes fit, which an operation is about to take and will release at its end."""
        if self.held + size > self.maximum_bytes:
            self._refuse_bytes()

    def _check(self) -> None:
        if self.work > self.maximum_work:
            raise LimitExceeded(f"{self.subject} took too much work: more than {self.maximum_work:,} units")
        self.checks += 1
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise DeadlineExceeded(f"the deadline passed before {self.subject} was finished")
        self._next_check = min(self.work + CHECK_EVERY, self.maximum_work + 1)

    def _refuse_bytes(self) -> None:
        size = self.maximum_bytes // 2**20
        raise LimitExceeded(f"{self.subject} took too much memory: more than {size} MiB at a time")


@contextmanager
def apply_deadline(deadline: float | None) -> Iterator[None]:
    """Give the meters that are created inside the block a deadline, a time of `time.monotonic()`."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def use_meter(meter: Meter) -> Iterator[Meter]:
    """Make the meter the current one inside the block."""
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)


def create_score_meter(subject: str) -> Meter:
    """Create a meter with the wider limits of what the engine computes itself: processors and searches."""
    return Meter(subject, maximum_work=SCORE_WORK, maximum_bytes=SCORE_BYTES)


def get_meter() -> Meter:
    """Return the current meter; outside of any, a new one with a score's limits."""
    return _current.get() or create_score_meter("the search")
