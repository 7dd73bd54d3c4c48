"""Run programs from threads, and terminate all of them when the work that needs them ends early."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from nix.clients.package_clients import create_client_environment

GRACE_S = 5


class Subprocesses:
    """The running programs; thread-safe."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock, self._stopped = threading.Lock(), False

    def run(self, command: Sequence[str | Path], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end with `variables` added to the environment, and return its captured output.

        The return code is negative if the program was ended by `stop`, or never started because of it.
        """
        words = [str(word) for word in command]
        with self._lock:
            if self._stopped:
                return subprocess.CompletedProcess(words, -15, "", "stopped")
            # In a process group of its own: Ctrl-C then reaches only this process, which stops the program itself.
            program = subprocess.Popen(
                words,
                env=create_client_environment(**variables),
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
        """Terminate all running programs, kill those still there after GRACE_S seconds, and start no more.

        Call it from any thread. Waits for all of them, so that no program outlives the command.
        """
        with self._lock:
            self._stopped, running = True, list(self._running)
        for program in running:
            program.terminate()
        for program in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(GRACE_S)
            program.kill()


@contextlib.contextmanager
def subprocesses() -> Iterator[Subprocesses]:
    """Yield a Subprocesses whose programs are stopped when the block ends."""
    running = Subprocesses()
    try:
        yield running
    finally:
        running.stop()
