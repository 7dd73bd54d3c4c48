"""The rows that a run has scored so far: JSON lines in a file beside the output, which survives a kill.

The first line identifies the run; only the same run may append to it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from plexus.exceptions import InvalidData, attach_filename

if TYPE_CHECKING:
    from plexus.running.run import ScoredRow

SUFFIX = ".part"


class Journal:
    """Exclusively locked while it is open; `done` counts the rows in it, twice if they were scored again."""

    def __init__(self, output: Path, run: Mapping[str, object], *, restart: bool = False) -> None:
        """Open or create the journal of an output.

        Raises InvalidData if another process has it open, or if it holds rows of another run and not `restart`.
        """
        self.path = self.locate(output)
        self.run = dict(run)
        self.done = 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        try:
            self._lock()
            if restart:
                self._file.truncate(0)
            self._open()
        except BaseException:
            self._file.close()
            raise

    @staticmethod
    def locate(output: Path) -> Path:
        """Return the path of an output's journal."""
        return output.with_name(output.name + SUFFIX)

    def add(self, rows: Iterable[ScoredRow]) -> None:
        """Append scored rows; once this returns, neither a kill nor a power failure loses them.

        Call it from one thread. OSError names the file.
        """
        lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]
        with attach_filename(self.path):
            self._file.write(b"".join(lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        self.done += len(lines)

    def read_rows(self) -> Iterator[ScoredRow]:
        """Yield every row in the order of its number, as it was scored last.

        A row that was scored again counts once. Memory grows with the number of rows, not with their size.
        """
        offsets: dict[int, int] = {}
        with self.path.open("rb") as file:
            offset = len(file.readline())
            for line in file:
                offsets[json.loads(line)["row"]] = offset
                offset += len(line)
            for number in sorted(offsets):
                file.seek(offsets[number])
                yield json.loads(file.readline())

    def read_attempts(self) -> Iterator[ScoredRow]:
        """Yield every row as often as it was scored, in the order of scoring."""
        with self.path.open("rb") as file:
            file.readline()
            yield from map(json.loads, file)

    def remove(self) -> None:
        """Delete the file of a completed run."""
        self.path.unlink()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):  # rows that a full disk left in the buffer are scored again
            self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidData(f"{self.path}: another run is writing this file") from None

    def _open(self) -> None:
        self._file.seek(0)
        head = self._file.readline()
        if not head.endswith(b"\n"):  # new, or the process was killed before its first line was complete
            self._file.truncate(0)
            self._file.write(json.dumps(self.run, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
            return
        self._check(head)
        end = len(head)
        for line in self._file:
            if not line.endswith(b"\n"):
                break  # torn by a kill: scored again
            end += len(line)
            self.done += 1
        self._file.truncate(end)
        self._file.seek(0, os.SEEK_END)

    def _check(self, head: bytes) -> None:
        try:
            header = json.loads(head)
        except ValueError:
            header = {}
        differ = [name for name, value in self.run.items() if not isinstance(header, dict) or header.get(name) != value]
        if differ:
            raise InvalidData(
                f"{self.path}: belongs to a run with another {', '.join(differ)}. next: finish that run, or discard it "
                "with --restart"
            )
