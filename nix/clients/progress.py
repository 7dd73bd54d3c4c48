"""Show the progress of downloads: a bar on a terminal, elsewhere a line every ten seconds."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TextIO

BAR, SHORTEST = 30, 5
TICK_S, LINE_S = 0.2, 10.0
# Before this share of the bytes and this time an estimate is meaningless: a first one was "188624 s left".
MEANINGFUL_SHARE, MEANINGFUL_S = 0.05, 3.0


def measure_folder(folder: Path, without: Collection[str] = ()) -> int:
    """Return the bytes of all files below a folder that is being written to, except in folders of these names.

    A file with several names counts several times.
    """
    total = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in without]
        for name in names:
            with contextlib.suppress(OSError):  # renamed meanwhile
                total += Path(parent, name).stat().st_size
    return total


@contextlib.contextmanager
def show_progress(
    total: int | Callable[[], int], arrived: Callable[[], int], stream: TextIO | None = None
) -> Iterator[None]:
    """Show `arrived()` of `total` bytes on `stream`, by default standard error, while the block runs.

    A bar is erased at the end. `total` may be a function where it is not known at the start; nothing is shown while it
    returns 0.
    """
    size = total if callable(total) else lambda: total
    stream = stream or sys.stderr
    end, terminal = threading.Event(), stream.isatty()
    thread = threading.Thread(target=refresh, args=(size, arrived, stream, end, terminal), daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        if terminal:
            stream.write("\r\x1b[K")
            stream.flush()


def refresh(
    size: Callable[[], int], arrived: Callable[[], int], stream: TextIO, end: threading.Event, terminal: bool
) -> None:
    """Redraw the bar, or print a line, until `end` is set.

    `size` and `arrived` are in bytes, and are called from this thread; nothing is written while `size` is 0. The bar
    never goes back.
    """
    began, done = time.monotonic(), 0
    while not end.wait(TICK_S if terminal else LINE_S):
        if not (total := size()):
            continue
        done = max(done, min(arrived(), total))  # a file that is moved while it is counted is in neither place
        text = describe(done, total, time.monotonic() - began)
        stream.write(f"\r\x1b[K{fit(done, total, text, measure_terminal(stream))}" if terminal else f"   {text}\n")
        stream.flush()


def measure_terminal(stream: TextIO) -> int:
    """Return the width of a terminal; 80 if it is unknown."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def fit(done: int, total: int, text: str, width: int) -> str:
    """Draw the bar and the text in one terminal line, since a wrapped one cannot be erased; the text has precedence."""
    room = min(BAR, width - len(text) - len("[] ") - 1)
    return f"{draw_bar(done, total, room)} {text}" if room >= SHORTEST else text[: max(width - 1, 0)]


def draw_bar(done: int, total: int, length: int = BAR) -> str:
    """Draw the share of the bytes that has arrived."""
    filled = int((done / total if total else 1.0) * length)
    return f"[{'#' * filled}{'.' * (length - filled)}]"


def describe(done: int, total: int, seconds: float) -> str:
    """Format megabytes and, once the estimate is meaningful, the seconds left at the average speed."""
    meaningful = done >= total * MEANINGFUL_SHARE and seconds >= MEANINGFUL_S and done > 0
    left = f", {(total - done) * seconds / done:.0f} s left" if meaningful else ""
    return f"{done / 1e6:.0f} of {total / 1e6:.0f} MB{left}"
