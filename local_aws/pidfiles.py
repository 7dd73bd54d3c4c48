"""Pidfiles of the processes that an instance started, so that those of a killed instance can be found and killed."""

import contextlib
from pathlib import Path

from local_aws.processes import Process, find


def record(run: Path, name: str, pid: int) -> None:
    """Write the pidfile `name` for the process `pid`; do nothing if it has exited."""
    if process := find(pid):
        run.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(f"{process.pid} {process.start_ticks}")


def forget(run: Path, name: str) -> None:
    """Remove the pidfile `name`."""
    (run / name).unlink(missing_ok=True)


def find_alive(run: Path) -> dict[str, Process]:
    """Map names to those processes that still run."""
    processes: dict[str, Process] = {}
    for file in sorted(run.glob("*")) if run.is_dir() else ():
        with contextlib.suppress(OSError, ValueError):
            pid, ticks = map(int, file.read_text().split())
            process = Process(pid, ticks)
            if process.is_alive():
                processes[file.name] = process
    return processes
