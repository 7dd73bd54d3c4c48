"""Other programs run from threads, all ended when the work ends early."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from environments import surroundings

GRACE_S = 5


class Tools:
    """The programs that run now."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock, self._stopped = threading.Lock(), False

    def run(self, command: Sequence[str | Path], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run to the end, output captured; a program that was ended by `stop` has a negative return code."""
        words = [str(word) for word in command]
        with self._lock:
            if self._stopped:
                return subprocess.CompletedProcess(words, -15, "", "stopped")
            # In a group of its own: Ctrl-C reaches us, and we end it.
            program = subprocess.Popen(
                words,
                env=surroundings(**variables),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                process_group=0,
            )
            self._running.add(program)
        out, err = program.communicate()
        with self._lock:
            self._running.discard(program)
        return subprocess.CompletedProcess(words, program.returncode, out, err)

    def stop(self) -> None:
        """End what runs, and start nothing more."""
        with self._lock:
            self._stopped, running = True, list(self._running)
        for program in running:
            program.terminate()
        for program in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(GRACE_S)
            program.kill()


@contextlib.contextmanager
def tools() -> Iterator[Tools]:
    """Programs that do not outlive the block."""
    running = Tools()
    try:
        yield running
    finally:
        running.stop()
