"""Processes, told apart by pid and start time, so that a reused pid is never mistaken for ours."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process of this machine: its pid and its start time in clock ticks since boot."""

    pid: int
    start_ticks: int

    def alive(self) -> bool:
        """Whether it still runs (a zombie does not)."""
        return _stat(self.pid, live=True) == self.start_ticks

    def signal(self, number: int) -> None:
        """Send a signal, unless it is gone."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False when it outlives the time."""
        end = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def kill(self, *, group: bool = False) -> None:
        """Kill it and all that descends from it (with `group`, its process group too)."""
        family = [self, *descendants(self.pid)] if self.alive() else []
        if group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        for member in family:
            member.signal(signal.SIGKILL)


def find(pid: int) -> Process | None:
    """The process that has this pid now, or None."""
    ticks = _stat(pid, live=True)
    return None if ticks is None else Process(pid, ticks)


def descendants(pid: int) -> list[Process]:
    """The live descendants of a process, parents before children."""
    return [process for child in children(pid) if (process := find(child)) is not None]


def children(pid: int) -> Iterator[int]:
    """The pids below a process, parents before children."""
    todo = _children(pid)
    while todo:
        yield (child := todo.pop(0))
        todo += _children(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in (PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def resident_kib(pid: int, field: str = "VmRSS") -> int:
    """A process's resident size (`VmRSS`) or its peak (`VmHWM`) in KiB; 0 when it is gone."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((PROC / str(pid) / "status").read_text().partition(f"{field}:")[2].split()[0])
    return 0


def _stat(pid: int, *, live: bool) -> int | None:
    try:
        # The command name may hold spaces and parentheses: fields are counted after the last one.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if live and fields[0] in "ZX" else int(fields[19])
