"""Standard output that loses its reader, as `| head` goes when it has enough: the command ends as it would have."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.FileIO):
    lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            self.lost = True
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


_opened: list[_Output] = []


def allow() -> None:
    """From here on, what nobody reads goes nowhere: no error, and the same exit code."""
    given = sys.stdout
    if not isinstance(given, io.TextIOWrapper) or given is not sys.__stdout__:
        return
    _opened.append(_Output(given.fileno(), "w", closefd=False))
    output = io.BufferedWriter(_opened[-1])
    sys.stdout = io.TextIOWrapper(output, given.encoding, given.errors, line_buffering=given.line_buffering)


def lost() -> bool:
    """Whether the reader is gone: a command that scores only to print is done then."""
    return any(each.lost for each in _opened)
