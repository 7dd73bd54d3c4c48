"""A progress bar in bytes on standard error: only on a terminal, only for what takes over a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ._text import megabytes

WIDTH = 30
PATIENCE_S = 0.6
REFRESH_S = 0.1


class Progress:
    """Shows how far the task under way is. Where there is no terminal, or when silent, it shows nothing."""

    def __init__(self, *, silent: bool = False) -> None:
        self._shown = not silent and sys.stderr.isatty()
        self._name, self._total, self._done = "", 0, 0
        self._began = self._next = 0.0

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[None]:
        """Show progress towards `total` bytes while the block runs."""
        self._name, self._total, self._done = name, total, 0
        self._began = time.monotonic()
        self._next = self._began + PATIENCE_S
        try:
            yield
        finally:
            if self._shown and time.monotonic() > self._began + PATIENCE_S:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()

    def advance(self, size: int) -> None:
        """Count `size` more bytes as done; a negative number takes back what has to be sent again."""
        self._done += size
        now = time.monotonic()
        if not self._shown or now < self._next:
            return
        self._next = now + REFRESH_S
        sys.stderr.write(f"\r\x1b[K{self.line(now - self._began)}")
        sys.stderr.flush()

    def line(self, elapsed_s: float) -> str:
        """Return the bar as text."""
        share = min(1.0, self._done / self._total) if self._total else 1.0
        bar = "█" * round(share * WIDTH)
        rate = self._done / elapsed_s if elapsed_s > 0 else 0.0
        left = (self._total - self._done) / rate if rate > 0 else 0.0
        return (
            f"{self._name} {bar:░<{WIDTH}} {share:4.0%} {megabytes(self._done)} of {megabytes(self._total)}, "
            f"{megabytes(int(rate))}/s, {left:.0f} s left"
        )
