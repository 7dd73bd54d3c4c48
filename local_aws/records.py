"""A file for each process that an instance has started, so that what a killed instance left can be found and ended."""

import contextlib
from pathlib import Path

from local_aws.processes import Process, find


def record(run: Path, name: str, pid: int) -> None:
    """Remember the process `pid` under a name."""
    if process := find(pid):
        run.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(f"{process.pid} {process.start_ticks}")


def forget(run: Path, name: str) -> None:
    """The process is gone."""
    (run / name).unlink(missing_ok=True)


def alive(run: Path) -> dict[str, Process]:
    """Name → process of all that still run."""
    found: dict[str, Process] = {}
    for file in sorted(run.glob("*")) if run.is_dir() else ():
        with contextlib.suppress(OSError, ValueError):
            pid, ticks = map(int, file.read_text().split())
            process = Process(pid, ticks)
            if process.alive():
                found[file.name] = process
    return found
