"""Split what a container writes into lines as it arrives."""

import array
import contextlib
import fcntl
import os
import select
import termios
import threading
from collections.abc import Callable

EVENT_LIMIT = 256 * 1024 - 26  # maximum bytes of a CloudWatch Logs event, without its fixed overhead
TAIL_LIMIT = 4096  # bytes of log that an invocation returns

Sink = Callable[[str], None]  # receives one line, without its newline


class LinePipe:
    """A pipe that a container writes to. Each complete line goes to `sink` at once, in order."""

    def __init__(self, sink: Sink) -> None:
        self._sink, self._lock, self._rest = sink, threading.RLock(), b""
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        threading.Thread(target=self._follow, name="log-pipe", daemon=True).start()

    def drain(self) -> None:
        """Deliver everything written before this call."""
        with self._lock:
            while self._read_end >= 0 and self._waiting() and self._read():
                pass

    def close(self) -> None:
        """Deliver the rest, including an unfinished line, and close. The container must have exited."""
        with self._lock:
            if self._read_end < 0:
                return
            self.drain()
            if self._rest:
                self._emit(self._rest)
                self._rest = b""
            for end in (self._read_end, self.write_end):
                with contextlib.suppress(OSError):
                    os.close(end)
            self._read_end = self.write_end = -1

    def _follow(self) -> None:
        poll = select.poll()
        with self._lock:
            if self._read_end < 0:
                return
            poll.register(self._read_end, select.POLLIN)
        while True:
            poll.poll(500)
            with self._lock:
                if self._read_end < 0:
                    return
                self._read()

    def _waiting(self) -> int:
        size = array.array("i", [0])
        fcntl.ioctl(self._read_end, termios.FIONREAD, size)
        return size[0]

    def _read(self) -> bool:
        try:
            data = os.read(self._read_end, 1 << 16)
        except BlockingIOError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(self._rest) > EVENT_LIMIT:
            self._emit(self._rest[:EVENT_LIMIT])
            self._rest = self._rest[EVENT_LIMIT:]
        return bool(data)

    def _emit(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, EVENT_LIMIT):
            self._sink(line[start : start + EVENT_LIMIT].decode(errors="replace"))


class Tail:
    """The last bytes of an invocation's log, cut at a character boundary."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0

    def add(self, line: str) -> None:
        """Append a line."""
        self._lines.append(line)
        self._size += len(line) + 1
        while len(self._lines) > 1 and self._size - len(self._lines[0]) > 2 * TAIL_LIMIT:
            self._size -= len(self._lines.pop(0)) + 1

    def read_text(self) -> str:
        """Return the tail, at most 4 KiB, each line terminated by a newline."""
        whole = "".join(f"{line}\n" for line in self._lines).encode()
        return whole[-TAIL_LIMIT:].decode(errors="ignore")
