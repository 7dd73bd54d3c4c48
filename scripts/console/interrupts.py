"""Handle Ctrl-C, SIGTERM and SIGHUP alike, and defer them while a step must not be interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from nix.command import forget_interrupt

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """Raised by SIGTERM and SIGHUP, which end a command early even if Ctrl-C is the way to end it."""


@contextmanager
def end_by_ctrl_c() -> Iterator[None]:
    """End the block without an error by Ctrl-C, which is the only end of a command that follows or serves.

    SIGTERM and SIGHUP still end the command with their exit code.
    """
    try:
        yield
    except Terminated:
        raise
    except KeyboardInterrupt:
        forget_interrupt()


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise Terminated on SIGTERM and SIGHUP while the block runs, as Ctrl-C raises KeyboardInterrupt; then restore.

    A command that is terminated, or whose terminal or connection closes, thus releases what it holds: locks, a canary's
    share of calls, temporary folders. A SIGHUP that is ignored stays ignored, as under nohup. Outside the main
    thread, which receives no signal, the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Defer Ctrl-C, SIGTERM and SIGHUP to the end of the block: AWS may have acted although its answer is not here yet.

    An exception of the block is raised in place of a deferred signal. Outside the main thread the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    handled = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = [(number, signal.signal(number, lambda got, _: received.append(got))) for number in handled]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    if received:
        signal.raise_signal(received[0])
