"""Engines start, limit, freeze and kill a container's processes, isolated by bubblewrap or not at all."""

import contextlib
import math
import os
import random
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local_aws import cgroups, processes
from local_aws.memory_watch import Watcher
from local_aws.network import Entrance, Service

UID, GID = 993, 990  # Lambda runs functions as this user and ignores the image's USER.
PROCESSOR_MB = 1769  # Lambda gives a function one processor for each so many MiB,
LEAST_PROCESSORS = 2  # and shows it two at least.

# A container dies with the *thread* that started it (PR_SET_PDEATHSIG): this one lives as long as the process.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="container-starter")


@dataclass(frozen=True)
class Container:
    """A process to start. Sizes are in MiB; `working_directory` and the paths in `command` are inside the image."""

    name: str
    layers: tuple[Path, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str = "/"
    memory_mb: int = 128
    tmp_mb: int = 512
    services: tuple[Service, ...] | None = ()  # all that it reaches; None: the machine's network


@dataclass(frozen=True)
class Guarantees:
    """The guarantees of an engine on this machine. Tests that need a guarantee skip if it is absent."""

    read_only_root: bool
    private_tmp: bool
    own_user: bool
    own_pids: bool
    filtered_calls: bool  # dangerous system calls are refused
    own_network: bool
    memory_limit: str  # cgroup | watcher
    freeze: str  # cgroup | signal
    reason: str = ""  # why functions are not isolated, and what would isolate them


class Engine(Protocol):
    """One way to run containers."""

    name: str
    guarantees: Guarantees

    def start(self, container: Container, output: int) -> "Running":
        """Start a container whose stdout and stderr go to the file descriptor `output`."""
        ...


@dataclass
class Running:
    """A started container."""

    process: subprocess.Popen[bytes]
    cgroup: cgroups.Cgroup | None
    memory_mb: int
    watcher: Watcher | None = None
    entrance: Entrance | None = None
    wrapped: bool = True  # The first process is the engine's own; the container's are its descendants.
    _frozen: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wait(self) -> int:
        """Wait until it exits. Return the exit status, negative for a signal."""
        return self.process.wait()

    def pids(self) -> list[int]:
        """List the container's processes, without the engine's own outermost process."""
        below = list(processes.walk_children(self.process.pid))
        return below if self.wrapped else [self.process.pid, *below]

    def peak_mb(self) -> int:
        """Return the summed peak resident sizes of its processes in MiB, rounded up; 0 after it exited."""
        return -(-sum(processes.read_resident_kib(pid, "VmHWM") for pid in self.pids()) // 1024)

    def out_of_memory(self) -> bool:
        """Return whether it was killed for exceeding its memory limit."""
        if self.watcher:
            return self.watcher.fired
        return self.cgroup is not None and self.cgroup.out_of_memory()

    def freeze(self) -> None:
        """Suspend all its processes until `thaw`."""
        self._hold(True)

    def thaw(self) -> None:
        """Resume its processes."""
        self._hold(False)

    def kill(self) -> None:
        """Kill all its processes. Idempotent.

        Waits until the container's first process has ended; its memory cgroup, which kills the others, goes last.
        """
        family = processes.list_descendants(self.process.pid) if self.process.poll() is None else []
        self.process.kill()
        if self.process.stdin:
            self.process.stdin.close()
        for member in family:
            member.signal(signal.SIGKILL)
        self.process.wait(10)
        if self.entrance:
            self.entrance.close()
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
    """How to start a container's first process, which inherits the open descriptors `files`.

    `tied` runs it in its own session, which a shell kills when this process exits for any reason. Otherwise the command
    itself must ensure that.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    tied: bool = False
    files: tuple[int, ...] = ()
    entrance: Entrance | None = None

    def descriptors(self) -> tuple[int, ...]:
        """Return the descriptors that the process inherits."""
        return (*self.files, *((self.entrance.theirs.fileno(),) if self.entrance else ()))

    def hand_over(self) -> None:
        """Close our copies of what the process has inherited, and serve its network, if it is its own."""
        self.close()
        if self.entrance:
            self.entrance.open()

    def close(self) -> None:
        """Close our copies of `files`."""
        for descriptor in self.files:
            os.close(descriptor)


# The shell's background half reads our end of a pipe. It is an orphan, so as not to count as the container's.
TIE = 'exec 3<&0 </dev/null; ( { read -r _ <&3; kill -9 0; } & ); exec 3<&-; exec "$@"'


def launch(start: Launch, container: Container, output: int, hierarchy: cgroups.Hierarchy | None) -> Running:
    """Start a container in its own memory cgroup, or under the memory watcher if cgroups are unavailable.

    `output` is a file descriptor, which stays open here. If the start fails, nothing is left behind.
    """
    cgroup = hierarchy.create(container.name, container.memory_mb) if hierarchy else None
    command = list(start.command)
    if start.tied:
        command = ["/bin/sh", "-c", TIE, "sh", *command]
    if cgroup:  # The process joins before it executes the container, so that nothing escapes the limit.
        command = ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(cgroup.entrance), *command]
    try:
        process = _starter.submit(_popen, command, output, start, container.memory_mb).result()
    except BaseException:
        if cgroup:
            cgroup.remove()
        start.close()
        if start.entrance:
            start.entrance.close()
        raise
    watcher = None if cgroup else Watcher(process.pid, container.memory_mb)
    running = Running(process, cgroup, container.memory_mb, watcher, start.entrance, wrapped=not start.tied)
    try:
        start.hand_over()
    except BaseException:
        running.kill()
        raise
    return running


def choose_processors(memory_mb: int) -> set[int]:
    """Choose those of this machine's processors that a function runs on: as many as Lambda gives its memory size."""
    available = sorted(os.sched_getaffinity(os.getpid()))  # of the first thread; the starter's are a function's
    count = max(LEAST_PROCESSORS, math.ceil(memory_mb / PROCESSOR_MB))
    return set(random.sample(available, min(count, len(available))))


def _popen(command: Sequence[str], output: int, start: Launch, memory_mb: int) -> subprocess.Popen[bytes]:
    os.sched_setaffinity(0, choose_processors(memory_mb))  # of this thread, whose children inherit it
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE if start.tied else subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=dict(start.environment),
        cwd="/",
        start_new_session=start.tied,
        pass_fds=start.descriptors(),
    )
