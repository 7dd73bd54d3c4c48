"""Bubblewrap engine: an overlay of the image's layers in private namespaces, as a host user who owns nothing."""

import hashlib
import os
import shutil
from pathlib import Path

from local_aws import cgroups, seccomp
from local_aws.engine import GID, UID, Container, Guarantees, Launch, Running, launch
from local_aws.network import Entrance
from local_aws.paths import create_unpacked_dir
from local_aws.sysroot import Sysroot
from local_aws.unpack import flatten, has_whiteouts

OPTIONS_LIMIT = 3900  # Overlay options must fit in one page; leave room for those that bubblewrap adds.
HOST_FILES = ("/etc/hosts", "/etc/resolv.conf")
HOST_ID = 60993  # of the range that systemd's allocation leaves to nobody; within a container's 65,536 ids
JAIL = Path(__file__).with_name("jail.py")
RESOLVER = b"# No name server: the names that this container reaches are in /etc/hosts.\noptions attempts:1 timeout:1\n"
MOUNT_POINTS = ("proc", "dev", "tmp", "etc", "var/task")
PRIVATE = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--uid", str(UID), "--gid", str(GID), "--hostname", "localhost", "--die-with-parent", "--clearenv"),
)
# What of /proc is the machine's: its settings are read-only, its memory and keys are empty. Nothing is mounted at /sys.
READ_ONLY = ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sysrq-trigger")
HIDDEN = ("/proc/kcore", "/proc/keys", "/proc/timer_list")


class Bubblewrap:
    """Run containers as an unprivileged user of the host, on a read-only root, with a private /tmp, PIDs and network.

    `network_problem` says why containers share the host's network, if they do.
    """

    name = "bubblewrap"

    def __init__(self, sysroot: Sysroot, hierarchy: cgroups.Hierarchy | None, network_problem: str = "") -> None:
        self._sysroot, self._hierarchy = sysroot, hierarchy
        freezer = hierarchy is not None and hierarchy.version == 2
        self.guarantees = Guarantees(
            read_only_root=True,
            private_tmp=True,
            own_user=True,
            own_pids=True,
            filtered_calls=True,
            own_network=not network_problem,
            memory_limit="cgroup" if hierarchy else "watcher",
            freeze="cgroup" if freezer else "signal",
            reason=network_problem,
        )

    def start(self, container: Container, output: int) -> Running:
        """Start a container."""
        return launch(self.prepare(container), container, output, self._hierarchy)

    def prepare(self, container: Container, *, terminal: bool = False) -> Launch:
        """Return how to start a container; with `terminal`, in the caller's session instead of a new one.

        bubblewrap reads its options from a file in memory: the function's variables are secrets, and everybody may read
        a command line.
        """
        layers = list_root_layers(list(container.layers))
        filtered = create_memory_file(seccomp.load_filter(tuple(self._sysroot.python())))
        words = [*PRIVATE, *self._no_namespaces(), "--seccomp", str(filtered)]
        words += [] if terminal else ["--new-session"]
        words += [word for layer in layers for word in ("--overlay-src", str(layer))]
        words += ["--ro-overlay", "/", "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
        for place in filter(os.path.exists, (*READ_ONLY, *HIDDEN)):
            words += ["--ro-bind", "/dev/null" if place in HIDDEN else place, place]
        words += ["--size", str(container.tmp_mb << 20), "--perms", "1777", "--tmpfs", "/tmp"]
        entrance = (
            Entrance(container.services) if self.guarantees.own_network and container.services is not None else None
        )
        names = [] if entrance is None else [create_memory_file(entrance.hosts()), create_memory_file(RESOLVER)]
        for index, file in enumerate(HOST_FILES):
            words += ["--ro-bind-data", str(names[index]), file] if names else ["--ro-bind-try", file, file]
        for key, value in container.environment.items():
            words += ["--setenv", key, value]
        words += ["--chdir", container.working_directory]
        options = create_memory_file("".join(f"{word}\0" for word in words).encode())
        command = [*self._sysroot.command("bwrap"), "--args", str(options), "--", *container.command]
        user = HOST_ID if os.geteuid() == 0 and has_user(HOST_ID) else os.geteuid()
        if user != os.geteuid() or entrance:
            places = map(str, (self._sysroot.root, *layers))
            network = entrance.encode_word() if entrance else ""
            command = [*self._sysroot.python(), str(JAIL), str(user), network, *places, "--", *command]
        return Launch(command, {}, files=(filtered, options, *names), entrance=entrance)

    def _no_namespaces(self) -> list[str]:
        """Return the option that denies user namespaces inside; it needs a writable /proc/sys, unlike the filter."""
        return [] if os.statvfs("/proc/sys").f_flag & os.ST_RDONLY else ["--disable-userns"]


def has_user(number: int) -> bool:
    """Return whether this process's user namespace has a user and a group of this number."""
    for kind in ("uid", "gid"):
        ranges = (map(int, line.split()) for line in Path(f"/proc/self/{kind}_map").read_text().splitlines())
        if not any(first <= number < first + count for first, _, count in ranges):
            return False
    return True


def create_memory_file(content: bytes) -> int:
    """Return a descriptor of a file in memory, positioned at its start; it is readable by this process's heirs only."""
    descriptor = os.memfd_create("options")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def list_root_layers(layers: list[Path]) -> list[Path]:
    """Return the folders, lowest first, whose overlay is the root.

    Layers are flattened if one contains whiteouts, or if their paths exceed the kernel's limit for mount options.
    """
    length = sum(len(f"/oldroot{layer}:") for layer in layers)
    if length > OPTIONS_LIMIT or any(map(has_whiteouts, layers)):
        layers = [flatten(layers, layers[0].parent)]
    return [scaffold(create_unpacked_dir()), *layers]


def scaffold(parent: Path) -> Path:
    """Return the lowest layer: mount points that an image may not contain.

    Made once for each set of mount points, and shared by all containers, which cannot write to it. Safe with other
    processes: the first to rename its folder wins.
    """
    target = parent / f"scaffold-{hashlib.sha256(repr((MOUNT_POINTS, HOST_FILES)).encode()).hexdigest()[:8]}"
    if not target.is_dir():
        work = parent / f".scaffold-{os.getpid()}-{os.urandom(4).hex()}"
        for folder in MOUNT_POINTS:
            (work / folder).mkdir(parents=True)
        for file in HOST_FILES:
            (work / file.lstrip("/")).touch()
        for place in (work, *work.rglob("*")):
            place.chmod(0o755)  # whatever the umask: the container's user is another one
        try:
            work.rename(target)
        except OSError:  # another process created it first
            shutil.rmtree(work)
    return target
