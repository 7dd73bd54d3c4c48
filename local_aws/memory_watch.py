"""Memory limit without cgroups: poll the resident size, and kill a container that exceeds it."""

import contextlib
import os
import signal
import threading

from local_aws import processes

INTERVAL_S = 0.03


class Watcher:
    """Kill the descendants of `pid` once their total resident size exceeds `memory_mb` MiB."""

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
            pids = [self._pid, *processes.children(self._pid)]
            if processes.find(self._pid) is None:
                return
            if sum(map(processes.resident_kib, pids)) > self._limit_kib:
                self.fired = True
                for pid in reversed(pids):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return
