"""What a run has scored so far: one line of JSON a row, in a file beside the output that survives a kill.

The first line says what is scored with what; a run goes on with a part only when it is the same run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from plexus.exceptions import InvalidData, naming

ENDING = ".part"


class Part:
    """Open from the first row to the last; `done` rows are in it."""

    def __init__(self, output: Path, run: Mapping[str, Any], *, restart: bool = False) -> None:
        """Raises InvalidData when there is a part of another run (unless `restart`), or somebody is writing it."""
        self.path = output.with_name(output.name + ENDING)
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

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keeps scored rows: once this returns, a kill does not lose them."""
        lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]
        with naming(self.path):
            self._file.write(b"".join(lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        self.done += len(lines)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row that is kept, in order."""
        with self.path.open("rb") as file:
            next(file)
            for line in file:
                yield json.loads(line)

    def remove(self) -> None:
        """The run is complete: nothing to go on with."""
        self.path.unlink()

    def __enter__(self) -> Part:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):  # what a full disk kept in the buffer is scored again
            self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidData(f"{self.path}: another run is writing this file") from None

    def _open(self) -> None:
        self._file.seek(0)
        head = self._file.readline()
        if not head.endswith(b"\n"):  # new, or killed before its first line was whole
            self._file.truncate(0)
            self._file.write(json.dumps(self.run, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
            return
        self._same(head)
        end = len(head)
        for line in self._file:
            if not line.endswith(b"\n"):
                break  # torn by a kill: scored again
            end += len(line)
            self.done += 1
        self._file.truncate(end)
        self._file.seek(0, os.SEEK_END)

    def _same(self, head: bytes) -> None:
        try:
            found = json.loads(head)
        except ValueError:
            found = {}
        differ = [name for name, value in self.run.items() if not isinstance(found, dict) or found.get(name) != value]
        if differ:
            raise InvalidData(
                f"{self.path}: left by a run with another {', '.join(differ)}; finish that one, or start anew with "
                "--restart"
            )
