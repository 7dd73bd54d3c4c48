"""The bubblewrap engine: an overlay of the image's layers in namespaces of its own, the same for root and users."""

import hashlib
import os
import shutil
from pathlib import Path

from local_aws import cgroups
from local_aws.engine import GID, UID, Container, Guarantees, Launch, Running, launch
from local_aws.tools import Tools, unpacked_dir
from local_aws.unpack import flatten, has_whiteouts

OPTIONS_LIMIT = 3900  # overlay options must fit one page, with some room for bubblewrap's own
HOST_FILES = ("/etc/resolv.conf", "/etc/hosts")
MOUNT_POINTS = ("proc", "dev", "tmp", "etc", "var/task")


class Bubblewrap:
    """Runs containers as a user of their own, on a read-only root, with a private /tmp and private process ids.

    The network is the host's, so that functions reach the local AWS on 127.0.0.1.
    """

    name = "bubblewrap"

    def __init__(self, tools: Tools, hierarchy: cgroups.Hierarchy | None) -> None:
        self._tools, self._hierarchy = tools, hierarchy
        freezer = hierarchy is not None and hierarchy.version == 2
        self.guarantees = Guarantees(
            read_only_root=True,
            private_tmp=True,
            own_user=True,
            own_pids=True,
            memory_limit="cgroup" if hierarchy else "watcher",
            freeze="cgroup" if freezer else "signal",
        )

    def start(self, container: Container, output: int) -> Running:
        """Start a container."""
        return launch(Launch(self.command(container), {}), container, output, self._hierarchy)

    def command(self, container: Container) -> list[str]:
        """The whole command line."""
        words = [*self._tools.command("bwrap"), "--unshare-user", "--unshare-pid", "--unshare-ipc"]
        words += ["--uid", str(UID), "--gid", str(GID), "--die-with-parent", "--new-session", "--clearenv"]
        words += root_options(list(container.layers))
        words += ["--proc", "/proc", "--dev", "/dev"]
        words += ["--size", str(container.tmp_mb << 20), "--perms", "1777", "--tmpfs", "/tmp"]
        for file in HOST_FILES:
            words += ["--ro-bind-try", file, file]
        for key, value in container.environment.items():
            words += ["--setenv", key, value]
        return [*words, "--chdir", container.working_directory, "--", *container.command]


def root_options(layers: list[Path]) -> list[str]:
    """The overlay of the layers, lowest first, or one flattened folder where an overlay would be wrong or too long."""
    length = sum(len(f"/oldroot{layer}:") for layer in layers)
    if length > OPTIONS_LIMIT or any(map(has_whiteouts, layers)):
        layers = [flatten(layers, layers[0].parent)]
    words = ["--overlay-src", str(scaffold(unpacked_dir()))]
    for layer in layers:
        words += ["--overlay-src", str(layer)]
    return [*words, "--ro-overlay", "/"]


def scaffold(parent: Path) -> Path:
    """The lowest layer: the folders and files that mounts need, which an image need not hold."""
    files = {file: Path(file).read_bytes() for file in HOST_FILES if os.access(file, os.R_OK)}
    target = parent / f"scaffold-{hashlib.sha256(repr(sorted(files)).encode()).hexdigest()[:8]}"
    if not target.is_dir():
        work = parent / f".scaffold-{os.getpid()}-{os.urandom(4).hex()}"
        for folder in MOUNT_POINTS:
            (work / folder).mkdir(parents=True)
        for file, content in files.items():
            (work / file.lstrip("/")).write_bytes(content)
        try:
            work.rename(target)
        except OSError:  # made by another process meanwhile
            shutil.rmtree(work)
    return target
