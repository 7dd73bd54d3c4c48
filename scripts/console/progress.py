"""Progress bars on standard error: on a terminal only, and only for work that takes longer than a moment."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

DELAY_S = 0.6  # rich takes 0.1 s to import: most pushes are over before a bar would help

STEP_S = 1.0  # a step that takes longer is named, with its seconds

Begin = Callable[[str], None]
"""Begins a step by its name, and ends the one before it."""
Advance = Callable[[int], None]
"""Counts so many more units as done; a negative number takes back what has to be done again."""
Progress = Callable[[str, int | None], AbstractContextManager[Advance]]
"""Shows the progress of a task, by name and total (None if unknown), while the block runs."""


@contextmanager
def no_progress(_task: str, _total: int | None) -> Iterator[Advance]:
    """Show nothing."""
    yield lambda _: None


@contextmanager
def no_steps() -> Iterator[Begin]:
    """Show nothing."""
    yield lambda _: None


@contextmanager
def show_steps() -> Iterator[Begin]:
    """Show the name of the current step and its seconds once it is slow; erase the line at the end.

    Yields a function that names the step which begins. Silent if standard error is no terminal. A thread writes the
    line; it has ended when the block has.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    current, end = [("", time.monotonic())], threading.Event()

    def show() -> None:
        while not end.wait(STEP_S):
            name, began = current[0]
            if (seconds := time.monotonic() - began) >= STEP_S:
                sys.stderr.write(f"\r{name}: waiting for {seconds:.0f} s\x1b[K")
                sys.stderr.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield lambda name: current.__setitem__(0, (name, time.monotonic()))
    finally:
        end.set()
        thread.join()
        sys.stderr.write("\r\x1b[K")


@contextmanager
def show_items(task: str, total: int | None) -> Iterator[Advance]:
    """Show how many of `total` items are done, and the time left."""
    yield from _show(task, total, in_bytes=False)


@contextmanager
def show_bytes(task: str, total: int | None) -> Iterator[Advance]:
    """Show how many of `total` bytes are done, the rate, and the time left."""
    yield from _show(task, total, in_bytes=True)


def _show(task: str, total: int | None, *, in_bytes: bool) -> Iterator[Advance]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    bar = _Bar(task, total, in_bytes)
    try:
        yield bar.advance
    finally:
        bar.close()


class _Bar:
    """A bar that appears DELAY_S after its start and is erased at its end."""

    def __init__(self, task: str, total: int | None, in_bytes: bool) -> None:
        self._task, self._total, self._in_bytes = task, total, in_bytes
        self._due = time.monotonic() + DELAY_S
        self._done = 0
        self._rich: RichProgress | None = None

    def advance(self, count: int) -> None:
        self._done += count
        if self._rich is None and time.monotonic() >= self._due:
            self._rich = _rich_progress(self._in_bytes)
            self._rich.add_task(self._task, total=self._total)
            self._rich.start()
        if self._rich is not None:
            self._rich.update(self._rich.task_ids[0], completed=self._done)

    def close(self) -> None:
        if self._rich is not None:
            self._rich.stop()


def _rich_progress(in_bytes: bool) -> RichProgress:
    from rich import progress
    from rich.console import Console

    amount = (
        (progress.DownloadColumn(), progress.TransferSpeedColumn()) if in_bytes else (progress.MofNCompleteColumn(),)
    )
    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), *amount, progress.TimeRemainingColumn())
    return progress.Progress(*columns, console=Console(stderr=True), transient=True)
