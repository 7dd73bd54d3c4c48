"""Engines: how a container's processes are started, held, frozen and ended; bubblewrap's isolation or none."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local_aws import cgroups, processes
from local_aws.memory import Watcher

UID, GID = 993, 990  # the user that functions run as on AWS; the image's own USER is ignored there too

# A container dies with the *thread* that started it (PR_SET_PDEATHSIG): this one lives as long as the process.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="container-starter")


@dataclass(frozen=True)
class Container:
    """What an engine starts. Sizes in MiB; `working_directory` and the words of `command` are paths in the image."""

    name: str
    layers: tuple[Path, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str = "/"
    memory_mb: int = 128
    tmp_mb: int = 512


@dataclass(frozen=True)
class Guarantees:
    """What an engine promises on this machine; tests that need a promise skip by its name."""

    read_only_root: bool
    private_tmp: bool
    own_user: bool
    own_pids: bool
    memory_limit: str  # cgroup | watcher
    freeze: str  # cgroup | signal


class Engine(Protocol):
    """One way to run containers."""

    name: str
    guarantees: Guarantees

    def start(self, container: Container, output: int) -> "Running":
        """Start a container; its standard output and error go to the file descriptor `output`."""
        ...


@dataclass
class Running:
    """A started container."""

    process: subprocess.Popen[bytes]
    cgroup: cgroups.Cgroup | None
    memory_mb: int
    watcher: Watcher | None = None
    wrapped: bool = True  # the first process is the engine's own, the container's are below it
    _frozen: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wait(self) -> int:
        """Wait for its end: the exit status, negative for a signal."""
        return self.process.wait()

    def pids(self) -> list[int]:
        """The container's processes, without the engine's own outer one."""
        below = list(processes.children(self.process.pid))
        return below if self.wrapped else [self.process.pid, *below]

    def peak_mb(self) -> int:
        """The sum of the peak resident sizes of its processes in MiB, rounded up; 0 when it is gone."""
        return -(-sum(processes.resident_kib(pid, "VmHWM") for pid in self.pids()) // 1024)

    def out_of_memory(self) -> bool:
        """Whether it ended because it passed its memory limit."""
        if self.watcher:
            return self.watcher.fired
        return self.cgroup is not None and self.cgroup.out_of_memory()

    def freeze(self) -> None:
        """Stop all its processes until `thaw`."""
        self._hold(True)

    def thaw(self) -> None:
        """Let its processes run on."""
        self._hold(False)

    def kill(self) -> None:
        """End all its processes; idempotent."""
        family = processes.descendants(self.process.pid) if self.process.poll() is None else []
        self.process.kill()
        if self.process.stdin:
            self.process.stdin.close()
        for member in family:
            member.signal(signal.SIGKILL)
        self.process.wait(10)
        if self.watcher:
            self.watcher.stop()
        if self.cgroup:
            self.cgroup.remove()

    def _hold(self, frozen: bool) -> None:
        with self._lock:
            if self._frozen == frozen:
                return
            self._frozen = frozen
            with contextlib.suppress(OSError):
                if self.cgroup and self.cgroup.freezer:
                    self.cgroup.freezer.write_text("1" if frozen else "0")
                    return
                for pid in self.pids():
                    os.kill(pid, signal.SIGSTOP if frozen else signal.SIGCONT)


@dataclass(frozen=True)
class Launch:
    """How a container's first process is started.

    `tied` puts it in a session of its own that a shell kills when this process ends, however it ends; without it the
    command must see to that itself.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    tied: bool = False


# The shell's background half reads our end of a pipe, as an orphan, so that it is none of the container's processes.
TIE = 'exec 3<&0 </dev/null; ( { read -r _ <&3; kill -9 0; } & ); exec 3<&-; exec "$@"'


def launch(start: Launch, container: Container, output: int, hierarchy: cgroups.Hierarchy | None) -> Running:
    """Start a container in a memory cgroup of its own, or under the watcher where none can be made."""
    cgroup = hierarchy.create(container.name, container.memory_mb) if hierarchy else None
    command = list(start.command)
    if start.tied:
        command = ["/bin/sh", "-c", TIE, "sh", *command]
    if cgroup:  # the process enters before it becomes the container: nothing it does escapes the limit
        command = ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(cgroup.entrance), *command]
    try:
        process = _starter.submit(_popen, command, output, start).result()
    except BaseException:
        if cgroup:
            cgroup.remove()
        raise
    watcher = None if cgroup else Watcher(process.pid, container.memory_mb)
    return Running(process, cgroup, container.memory_mb, watcher, wrapped=not start.tied)


def _popen(command: Sequence[str], output: int, start: Launch) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE if start.tied else subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=dict(start.environment),
        cwd="/",
        start_new_session=start.tied,
    )
