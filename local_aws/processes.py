"""Processes identified by pid and start time, so that a reused pid is never mistaken for ours."""

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

    def is_alive(self) -> bool:
        """Return whether it still runs; a zombie does not."""
        return _stat(self.pid, live=True) == self.start_ticks

    def signal(self, number: int) -> None:
        """Send a signal; do nothing if the process has exited."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait until it exits. Return False if it still runs after `seconds`."""
        end = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def kill(self, *, group: bool = False) -> None:
        """Kill it and its descendants; with `group`, also its process group."""
        family = [self, *list_descendants(self.pid)] if self.is_alive() else []
        if group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        for member in family:
            member.signal(signal.SIGKILL)


def find(pid: int) -> Process | None:
    """Return the process that currently has this pid, or None."""
    ticks = _stat(pid, live=True)
    return None if ticks is None else Process(pid, ticks)


def list_descendants(pid: int) -> list[Process]:
    """List the live descendants of a process, parents first."""
    return [process for child in walk_children(pid) if (process := find(child)) is not None]


def walk_children(pid: int) -> Iterator[int]:
    """Yield the pids of a process's descendants, parents first."""
    todo = _children(pid)
    while todo:
        yield (child := todo.pop(0))
        todo += _children(child)


def _children(pid: int) -> list[int]:
    pids: list[int] = []
    with contextlib.suppress(OSError):
        for thread in (PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                pids += map(int, (thread / "children").read_text().split())
    return pids


def read_resident_kib(pid: int, field: str = "VmRSS") -> int:
    """Return a process's resident size (`VmRSS`) or peak (`VmHWM`) in KiB; 0 if it has exited."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((PROC / str(pid) / "status").read_text().partition(f"{field}:")[2].split()[0])
    return 0


def read_proportional_kib(pid: int) -> int:
    """Return a process's resident size in KiB, with its part of what it shares; 0 if it has exited.

    The whole resident size if the kernel does not show the parts.
    """
    try:
        return int((PROC / str(pid) / "smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
    except (OSError, ValueError, IndexError):
        return read_resident_kib(pid)


def _stat(pid: int, *, live: bool) -> int | None:
    try:
        # The command name may contain spaces and parentheses: count fields after the last one.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if live and fields[0] in "ZX" else int(fields[19])
