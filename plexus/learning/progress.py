"""How far a training is: from the rounds of a library that knows nothing of it to whoever waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

#: Is told how many steps are done, and of how many.
Tell = Callable[[int, int], None]


@dataclass
class _Watch:
    tell: Tell
    done: int = 0
    total: int = 0


_WATCH: ContextVar[_Watch | None] = ContextVar("_WATCH", default=None)


@contextmanager
def watched(tell: Tell) -> Iterator[None]:
    """Tells how far the training inside is; of one that says nothing of its steps, nothing."""
    watch = _Watch(tell)
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)
    if watch.done < watch.total:
        tell(watch.total, watch.total)


def expect(total: int) -> None:
    """The training will take so many steps, or a few less."""
    if (watch := _WATCH.get()) is not None:
        watch.total = total
        watch.tell(0, total)


def step() -> None:
    """One more is done."""
    if (watch := _WATCH.get()) is not None:
        watch.done += 1
        watch.tell(watch.done, watch.total)
