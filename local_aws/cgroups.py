"""Memory cgroups (version 1 or 2), one per execution environment, if this process may create them."""

import contextlib
import os
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/sys/fs/cgroup")
PREFIX = "local-aws-"
OF = "of-"  # followed by the creator's pid if no instance created it


@dataclass(frozen=True)
class Hierarchy:
    """The parent folder of our cgroups, and its interface version."""

    folder: Path
    version: int

    def create(self, name: str, memory_mb: int) -> "Cgroup":
        """Create the cgroup `name` with a limit of `memory_mb` MiB and no swap. Nothing is left behind on OSError.

        Enter a process by writing its number to `entrance` before it starts others.
        """
        group = Cgroup(self.folder / f"{PREFIX}{name}", self.version)
        if self.version == 2:
            with contextlib.suppress(
                OSError
            ):  # already enabled, or not ours to enable, in which case memory.max is missing
                (self.folder / "cgroup.subtree_control").write_text("+memory")
        group.folder.mkdir(exist_ok=True)
        try:
            group.limit(memory_mb << 20)
        except OSError:
            group.remove()
            raise
        return group

    def list_groups(self, prefix: str) -> list["Cgroup"]:
        """List our cgroups whose names start with `prefix`."""
        return [Cgroup(found, self.version) for found in self.folder.glob(f"{PREFIX}{prefix}*") if found.is_dir()]


@dataclass(frozen=True)
class Cgroup:
    """The cgroup of one execution environment."""

    folder: Path
    version: int

    @property
    def entrance(self) -> Path:
        """Return the file to which a process writes its pid to join."""
        return self.folder / "cgroup.procs"

    def limit(self, size: int) -> None:
        """Limit the memory of all processes in the cgroup to `size` bytes. Raise OSError if the kernel cannot.

        Swap is limited too where the kernel accounts for it, since Lambda has none.
        """
        if self.version == 1:
            (self.folder / "memory.limit_in_bytes").write_text(str(size))
            with contextlib.suppress(OSError):  # absent without swap accounting
                (self.folder / "memory.memsw.limit_in_bytes").write_text(str(size))
        else:
            (self.folder / "memory.max").write_text(str(size))
            with contextlib.suppress(OSError):
                (self.folder / "memory.swap.max").write_text("0")

    def pids(self) -> list[int]:
        """List the processes in the cgroup, except those without a pid in our PID namespace."""
        with contextlib.suppress(OSError):
            return [int(pid) for pid in self.entrance.read_text().split() if int(pid) > 0]
        return []

    def out_of_memory(self) -> bool:
        """Return whether the kernel killed a process in the cgroup for exceeding the limit."""
        file = "memory.oom_control" if self.version == 1 else "memory.events"
        with contextlib.suppress(OSError):
            for line in (self.folder / file).read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1]) > 0
        return False

    @property
    def freezer(self) -> Path | None:
        """Return the freezer file; None on version 1, where even SIGKILL does not end a frozen process."""
        return self.folder / "cgroup.freeze" if self.version == 2 else None

    def remove(self) -> None:
        """Kill all processes in the cgroup and remove it.

        Idempotent. Gives up after ten seconds: a process that cannot be killed keeps its cgroup.
        """
        for _ in range(1000):
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
    """Find where this process can create memory cgroups by creating one. Return None if it cannot.

    Cgroups that killed instances left behind are removed on the way.
    """
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
    """Remove empty cgroups whose creators no longer run."""
    for group in hierarchy.list_groups(OF):
        pid = group.folder.name.removeprefix(PREFIX + OF).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            with contextlib.suppress(OSError):  # not empty: its owner may run in a namespace that we cannot see
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
    hierarchies: list[Hierarchy] = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(","):
                hierarchies += [Hierarchy(MOUNTS / "memory" / path.lstrip("/"), 1), Hierarchy(MOUNTS / "memory", 1)]
            elif not controllers and (MOUNTS / "cgroup.controllers").exists():
                own = MOUNTS / path.lstrip("/")
                hierarchies += [
                    Hierarchy(folder, 2) for folder in (own, *own.parents) if MOUNTS in (folder, *folder.parents)
                ]
    return hierarchies
