"""Memory limit without cgroups: poll the resident size, and kill a container that exceeds it."""

import contextlib
import os
import signal
import threading

from local_aws import processes

INTERVAL_S = 0.03
_SIZES = (processes.read_resident_kib, processes.read_proportional_kib)


class Watcher:
    """Kill the descendants of `pid` once the memory that they have together exceeds `memory_mb` MiB.

    What several of them share, as after a fork, counts once, as in a cgroup and on Lambda.
    """

    def __init__(self, pid: int, memory_mb: int) -> None:
        self.fired = False
        self._pid, self._limit_kib = pid, memory_mb << 10
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, name=f"memory-{pid}", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            pids = [self._pid, *processes.walk_children(self._pid)]
            if processes.find(self._pid) is None:
                return
            # The first sum counts what they share several times, so it is never less; the second takes far longer.
            if all(sum(map(size, pids)) > self._limit_kib for size in _SIZES):
                self.fired = True
                for pid in reversed(pids):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return
