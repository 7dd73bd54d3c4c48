"""Standard output that loses its reader, as `| head` goes when it has enough: the work ends as it would have."""

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.FileIO):
    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


def allow() -> None:
    """From here on, what nobody reads goes nowhere: no error, and no step left out because of it."""
    given = sys.stdout
    if not isinstance(given, io.TextIOWrapper):
        return
    output = io.BufferedWriter(_Output(given.fileno(), "w", closefd=False))
    by_line = given.line_buffering
    sys.stdout = io.TextIOWrapper(output, given.encoding, given.errors, line_buffering=by_line)
