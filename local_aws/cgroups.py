"""A memory cgroup per execution environment, version 1 or 2, where this process may make one."""

import contextlib
import os
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/sys/fs/cgroup")
PREFIX = "local-aws-"
OF = "of-"  # then the pid of the process that made it, where no instance did


@dataclass(frozen=True)
class Hierarchy:
    """The folder under which cgroups are made, and which version of the interface it speaks."""

    folder: Path
    version: int

    def create(self, name: str, memory_mb: int) -> "Cgroup":
        """Make the cgroup `name` with a limit of `memory_mb` MiB, without swap; OSError leaves none behind."""
        group = Cgroup(self.folder / f"{PREFIX}{name}", self.version)
        if self.version == 2:
            with contextlib.suppress(OSError):  # enabled already, or not ours to enable: then memory.max is missing
                (self.folder / "cgroup.subtree_control").write_text("+memory")
        group.folder.mkdir(exist_ok=True)
        try:
            group.limit(memory_mb << 20)
        except OSError:
            group.remove()
            raise
        return group

    def named(self, prefix: str) -> list["Cgroup"]:
        """The cgroups of ours whose name begins so."""
        return [Cgroup(found, self.version) for found in self.folder.glob(f"{PREFIX}{prefix}*") if found.is_dir()]


@dataclass(frozen=True)
class Cgroup:
    """One environment's cgroup."""

    folder: Path
    version: int

    @property
    def entrance(self) -> Path:
        """The file into which a process writes its pid to enter."""
        return self.folder / "cgroup.procs"

    def limit(self, size: int) -> None:
        """Limit the memory of all processes inside to so many bytes; OSError where the kernel does not count it."""
        if self.version == 1:
            (self.folder / "memory.limit_in_bytes").write_text(str(size))
            with contextlib.suppress(OSError):  # not there without swap accounting
                (self.folder / "memory.memsw.limit_in_bytes").write_text(str(size))
        else:
            (self.folder / "memory.max").write_text(str(size))
            with contextlib.suppress(OSError):
                (self.folder / "memory.swap.max").write_text("0")

    def pids(self) -> list[int]:
        """The processes inside; those of other process namespaces, which have no number here, are left out."""
        with contextlib.suppress(OSError):
            return [int(pid) for pid in self.entrance.read_text().split() if int(pid) > 0]
        return []

    def out_of_memory(self) -> bool:
        """Whether the kernel killed a process inside for memory."""
        file = "memory.oom_control" if self.version == 1 else "memory.events"
        with contextlib.suppress(OSError):
            for line in (self.folder / file).read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1]) > 0
        return False

    @property
    def freezer(self) -> Path | None:
        """The file that freezes and thaws. Only version 2: a frozen version 1 cgroup outlives even SIGKILL."""
        return self.folder / "cgroup.freeze" if self.version == 2 else None

    def remove(self) -> None:
        """Kill what is inside and remove the cgroup."""
        for _ in range(100):
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)
            else:
                return


def find() -> Hierarchy | None:
    """Where memory cgroups can be made by this process, found by making one; None where they cannot."""
    for hierarchy in _candidates():
        with contextlib.suppress(OSError):
            group = hierarchy.create(f"{OF}{os.getpid()}-{secrets.token_hex(4)}", 64)
            try:
                usable = _enterable(group)
            finally:
                group.remove()
            if usable:
                sweep(hierarchy)
                return hierarchy
    return None


def sweep(hierarchy: Hierarchy) -> None:
    """Remove the empty cgroups that processes of this machine which are gone have left."""
    for group in hierarchy.named(OF):
        pid = group.folder.name.removeprefix(PREFIX + OF).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            with contextlib.suppress(OSError):  # not empty: its owner may live where we cannot see it
                group.folder.rmdir()


def _enterable(group: Cgroup) -> bool:
    child = os.posix_spawn("/bin/sleep", ["sleep", "5"], {})
    try:
        group.entrance.write_text(str(child))
    except OSError:
        return False
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return True


def _candidates() -> list[Hierarchy]:
    found: list[Hierarchy] = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(","):
                found += [Hierarchy(MOUNTS / "memory" / path.lstrip("/"), 1), Hierarchy(MOUNTS / "memory", 1)]
            elif not controllers and (MOUNTS / "cgroup.controllers").exists():
                own = MOUNTS / path.lstrip("/")
                found += [Hierarchy(folder, 2) for folder in (own, *own.parents) if MOUNTS in (folder, *folder.parents)]
    return found
