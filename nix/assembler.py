"""Runs the assembler (nix/oci) under the Python of the image's own root, so that the host cannot change a byte."""

import hashlib
import os
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from cache import cache_dir

SOURCES = Path(__file__).resolve().parent / "oci"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
INTERRUPTED = 130


class BuildProblem(Exception):
    """Root of what a build refuses; the message says what, where, expected, got and the next step."""


def sources_digest() -> str:
    """The sha256, in hexadecimal, of the assembler's own sources."""
    together = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.py")):
        data = path.read_bytes()
        together.update(f"{path.name} {len(data)}\n".encode() + data)
    return together.hexdigest()


@dataclass
class Assembler:
    """The assembler's processes; `root` is the image's unpacked root, `key` names it and the assembler's sources."""

    root: Path
    key: str
    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, *words: str | Path) -> str:
        """Run one verb and return what it prints; BuildProblem with its own message when it fails."""
        with self._lock:
            if self._stopped:
                raise BuildProblem("stopped")
            process = subprocess.Popen(
                [*self._interpreter(), str(SOURCES), *map(str, words)],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            self._running.add(process)
        try:
            output, problems = process.communicate()
        finally:
            self._running.discard(process)
        if process.returncode:
            raise BuildProblem(problems.strip() or f"the assembler ended with status {process.returncode}")
        return output.strip()

    def stop(self) -> None:
        """End whatever runs and start nothing more."""
        with self._lock:
            self._stopped = True
            for process in list(self._running):
                process.terminate()
        for process in list(self._running):
            process.wait()

    def _interpreter(self) -> list[str]:
        libraries = self.root / LIBRARIES
        loader = libraries / "ld-linux-x86-64.so.2"
        python = [str(loader), "--library-path", str(libraries), str(self.root / "usr/bin/python3.11")]
        return [*python, "-S", "-s", "-P", "-X", "no_debug_ranges"]

    def _environment(self) -> dict[str, str]:
        # Nothing of the caller's. The prefix is named by content, so that no stale .pyc is ever taken for a new one.
        return {
            "PYTHONHASHSEED": "0",
            "PYTHONHOME": str(self.root / "usr"),
            "PYTHONPYCACHEPREFIX": os.fspath(cache_dir() / "bytecode" / self.key[:32]),
        }
