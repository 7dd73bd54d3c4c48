"""A machine that tests play: a root of its own, entered by bubblewrap as an ordinary user."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from local_aws.sysroot import Sysroot, find_sysroot
from tests.fresh.clients import BUNDLE, MOZILLA, Clients

USER = 1000
HOME, CHECKOUT = "/home/newcomer", "/srv/score-processor"
MERGED = ("bin", "lib", "lib64", "sbin")
HOST_FILES = ("resolv.conf", "hosts", "nsswitch.conf")
PASSWD = f"root:x:0:0::/root:/bin/sh\nnewcomer:x:{USER}:{USER}::{HOME}:/bin/bash\n"
GROUP = f"root:x:0:\nnewcomer:x:{USER}:\n"
VARIABLES = {
    "HOME": HOME,
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "TERM": "dumb",
    "USER": "newcomer",
}
# Where the tests run as root: the machine's own setpriv makes an ordinary user, who then enters namespaces of his own.
# In those of root, bubblewrap covers parts of /proc, and the kernel lets no container within mount another one.
DROP = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
SYSROOT = "/run/sysroot"
NEWCOMER = ("--unshare-user", "--uid", str(USER), "--gid", str(USER))
LIFE = ("--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session", "--proc", "/proc")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, and what it printed to both streams, in order."""

    status: int
    output: str


@dataclass(frozen=True)
class Machine:
    """A root, what its /etc holds, a home folder, a clone of the project, and how all of it is entered.

    `mounts` are further words for bubblewrap. `namespaces`: may programs inside create user namespaces?
    """

    root: Path
    etc: Path
    home: Path
    checkout: Path
    clients: Clients
    variables: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    namespaces: bool = True
    writable_home: bool = True

    def run(self, *words: str, timeout_s: float = 1800) -> Ended:
        """Run a command in the checkout to its end; everything that it leaves running ends with it."""
        done = subprocess.run(
            [*self.entrance(), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
        )
        return Ended(done.returncode, done.stdout.decode(errors="replace"))

    def entrance(self) -> list[str]:
        """Return the words that enter the machine; a command follows them."""
        outside, inside = find_sysroot(), Sysroot(Path(SYSROOT))
        end = ["--clearenv", "--chdir", CHECKOUT]
        for name, value in {**self.clients.variables, **VARIABLES, **self.variables}.items():
            end += ["--setenv", name, value]
        if not (mounts_as_root() and self.namespaces):
            more = () if self.namespaces else ("--disable-userns",)
            return [*outside.command("bwrap"), *NEWCOMER, *more, *self.file_system(), *LIFE, *end, "--"]
        mounts = [*self.file_system(), "--bind", "/proc", "/proc", "--ro-bind", str(outside.root), SYSROOT]
        again = [*NEWCOMER, "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--tmpfs", "/run", *LIFE, *end, "--"]
        return [*outside.command("bwrap"), *mounts, "--die-with-parent", "--", *DROP, *inside.command("bwrap"), *again]

    def file_system(self) -> Iterator[str]:
        """Yield what mounts the root, the folders that the user may write to, and those that pip's settings name."""
        for name in ("usr", "var"):
            yield from ("--ro-bind", f"{self.root}/{name}", f"/{name}")
        for name in MERGED:
            yield from ("--symlink", f"usr/{name}", f"/{name}")
        yield from ("--ro-bind", str(self.etc), "/etc", "--dev", "/dev", "--tmpfs", "/run")
        yield from ("--perms", "1777", "--tmpfs", "/tmp")  # noqa: S108 (the machine's own)
        yield from mount("--bind" if self.writable_home else "--ro-bind", self.home, HOME)
        yield from mount("--bind", self.checkout, CHECKOUT)
        for folder in self.clients.folders:
            yield from mount("--ro-bind", folder, str(folder))
        yield from self.mounts

    def with_variables(self, **variables: str) -> "Machine":
        """Return the same machine whose user exports these variables, too."""
        return replace(self, variables={**self.variables, **variables})


def mount(how: str, source: Path, target: str) -> Iterator[str]:
    """Yield what mounts a folder; the folders above it are made so that every user can pass them."""
    for above in reversed(Path(target).parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(above))
    yield from (how, str(source), target)


@cache
def mounts_as_root() -> bool:
    """Do the tests run as a root that may mount without a user namespace?"""
    command = [*find_sysroot().command("bwrap"), "--ro-bind", "/", "/", "true"]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


def write_etc(root: Path, folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a machine's /etc into the new folder: the root's own, the host's resolver, and `files` by path below it."""
    shutil.copytree(root / "etc", folder, symlinks=True)
    results = {name: Path("/etc", name) for name in HOST_FILES}
    contents = {name: path.read_bytes() for name, path in results.items() if os.access(path, os.R_OK)}
    contents[BUNDLE.removeprefix("etc/")] = mozilla(root)
    contents |= {"passwd": PASSWD.encode(), "group": GROUP.encode(), **files}
    for name, data in contents.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_bytes(data)


def mozilla(root: Path) -> bytes:
    """Return the authorities of the root's own package, joined as its installation script would."""
    return b"".join(path.read_bytes() for path in sorted((root / MOZILLA).glob("*.crt")))


def give(folder: Path) -> None:
    """Make the machine's user the owner of a folder and all in it, where that user is another one for the kernel."""
    for where, _, names in os.walk(folder):
        for name in (".", *names):
            os.chown(Path(where, name), USER, USER, follow_symlinks=False)
