"""How far a fetch is: a bar on a terminal, now and then a line elsewhere."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

BAR = 30
TICK_S, LINE_S = 0.2, 10.0


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder that is being written to."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # renamed meanwhile
                total += Path(parent, name).stat().st_size
    return total


@contextlib.contextmanager
def meter(total: int, arrived: Callable[[], int], stream: TextIO = sys.stderr) -> Iterator[None]:
    """Show `arrived()` of `total` bytes while the block runs; nothing is left of a bar at its end."""
    end, terminal = threading.Event(), stream.isatty()
    thread = threading.Thread(target=_show, args=(total, arrived, stream, end, terminal), daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        if terminal:
            stream.write("\r\x1b[K")
            stream.flush()


def _show(total: int, arrived: Callable[[], int], stream: TextIO, end: threading.Event, terminal: bool) -> None:
    began = time.monotonic()
    while not end.wait(TICK_S if terminal else LINE_S):
        done = min(arrived(), total)
        text = told(done, total, time.monotonic() - began)
        stream.write(f"\r\x1b[K{bar(done, total)} {text}" if terminal else f"   {text}\n")
        stream.flush()


def bar(done: int, total: int) -> str:
    """The share that is done, drawn."""
    filled = int((done / total if total else 1.0) * BAR)
    return f"[{'#' * filled}{'.' * (BAR - filled)}]"


def told(done: int, total: int, seconds: float) -> str:
    """Megabytes, and the time that is left at the speed so far."""
    speed = done / seconds if seconds else 0.0
    left = f", {(total - done) / speed:.0f} s left" if speed else ""
    return f"{done / 1e6:.0f} of {total / 1e6:.0f} MB{left}"
