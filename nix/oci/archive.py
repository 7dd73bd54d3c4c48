"""Debian packages → a merged-/usr tree. Standard library only, no dpkg, no scripts run.

A package is trusted with nothing: every name is resolved inside the tree through the links that the packages themselves
made, and what cannot be held by an image (devices, FIFOs, hard links) is refused by name.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from oci.exceptions import PathConflict, UnreadablePackage, UnsafePath
from oci.nar import nar_hash

__all__ = ["nar_hash", "unpack_debs"]

AR_MAGIC = b"!<arch>\n"
AR_HEADER = 60
MERGED = ("bin", "lib", "lib64", "sbin")
STATUS = "var/lib/dpkg/status.d"
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
MOST_LINKS = 40
NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
BLOCK = 1 << 20


@dataclass(frozen=True)
class Member:
    """One member of an ar archive."""

    name: str
    data: bytes


def members(file: BinaryIO, name: str) -> Iterator[Member]:
    """The members of the ar archive `file`. UnreadablePackage when it is none, or ends too early."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(len(AR_MAGIC)) != AR_MAGIC:
        raise UnreadablePackage(f"{name} is no Debian package: it does not begin with {AR_MAGIC!r}")
    at = len(AR_MAGIC)
    while at < size:
        file.seek(at)
        header = file.read(AR_HEADER)
        digits = header[48:58].strip()
        if len(header) < AR_HEADER or header[58:] != b"`\n" or not digits.isdigit():
            raise UnreadablePackage(f"{name}: no ar header at byte {at}")
        length = int(digits)
        if at + AR_HEADER + length > size:
            raise UnreadablePackage(
                f"{name} is cut short: expected {at + AR_HEADER + length} bytes or more, got {size} bytes"
            )
        member = header[:16].decode("ascii", "replace").strip().rstrip("/")
        yield Member(member, file.read(length))
        at += AR_HEADER + length + length % 2


@dataclass
class Tree:
    """A tree being unpacked: what was written where, and by which package."""

    root: Path
    origins: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def folder(self, path: str) -> None:
        """Make the folder `path` and those above it, searchable by everybody whatever the umask."""
        made = ""
        for part in filter(None, path.split("/")):
            made = f"{made}/{part}" if made else part
            if made in self.origins:
                raise PathConflict(f"/{path} lies below /{made}, which {self.origins[made]} makes a file")
            target = self.root / made
            if not target.is_dir():
                target.mkdir()
                target.chmod(0o755)

    def claim(self, path: str, package: str) -> Path:
        """The place of a file or link; PathConflict when another package has it already."""
        if path in self.origins or (self.root / path).is_dir():
            other = self.origins.get(path, "another package, as a folder")
            raise PathConflict(f"two packages hold /{path}: {other} and {package}; drop one of them from the lock")
        self.folder(path.rpartition("/")[0])
        self.origins[path] = package
        return self.root / path

    def link(self, path: str, target: str, package: str) -> None:
        """Make a symbolic link and remember it, since later names may lead through it."""
        self.resolve(target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}", package)
        self.claim(path, package).symlink_to(target)
        self.links[path] = target

    def file(self, path: str, data: IO[bytes], executable: bool, package: str) -> None:
        """Write a file; of its mode only 'somebody may execute it' is kept."""
        place = self.claim(path, package)
        with place.open("xb") as out:
            while block := data.read(BLOCK):
                out.write(block)
        place.chmod(0o755 if executable else 0o644)

    def resolve(self, name: str, package: str) -> str:
        """`name` as a path in the tree that leads through no link; UnsafePath when it leads out of the tree."""
        parts, done, followed = name.split("/")[::-1], list[str](), 0
        while parts:
            part = parts.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done:
                    raise UnsafePath(f"{package}: {name!r} leads out of the tree")
                done.pop()
                continue
            done.append(part)
            target = self.links.get("/".join(done))
            if target is None:
                continue
            followed += 1
            if followed > MOST_LINKS:
                raise UnsafePath(f"{package}: {name!r} leads through more than {MOST_LINKS} links")
            done = [] if target.startswith("/") else done[:-1]
            parts.extend(target.split("/")[::-1])
        return "/".join(done)


def unpack_debs(paths: Iterable[Path], root: Path) -> dict[str, str]:
    """Unpack packages into the new folder `root`; returns path → package of every file and link written.

    Each package's control record goes to `var/lib/dpkg/status.d/NAME`, where scanners look for it.
    UnreadablePackage, UnsafePath or PathConflict name the package; `root` is then half-made, for the caller to remove.
    """
    root.mkdir(parents=True)
    root.chmod(0o755)
    tree = Tree(root)
    for name in MERGED:
        tree.folder(f"usr/{name}")
        tree.link(name, f"usr/{name}", "merged /usr")
    pool = ThreadPoolExecutor(os.cpu_count())  # for decompressing, which takes longest and locks no interpreter
    try:
        tars = deque((path.name, pool.submit(tars_of, path)) for path in paths)
        while tars:
            name, job = tars.popleft()
            with faults_named(name):
                unpack_tars(name, job.result(), tree)
    finally:
        pool.shutdown(cancel_futures=True)
    return tree.origins


@contextmanager
def faults_named(package: str) -> Iterator[None]:
    """Turn what the readers of archives raise into UnreadablePackage."""
    try:
        yield
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno is not None:
            raise  # the disk's or the file system's, not the package's
        raise UnreadablePackage(f"{package} cannot be unpacked: {problem or type(problem).__name__}") from problem


def unpack_tars(file_name: str, tars: list[tuple[str, bytes]], tree: Tree) -> None:
    """Unpack the tars of one package into the tree."""
    package = file_name
    for kind, data in tars:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            if kind == "control":
                package = unpack_control(tar, tree, file_name)
            else:
                unpack_data(tar, tree, package)
    found = {kind for kind, _ in tars}
    if found != {"control", "data"}:
        raise UnreadablePackage(f"{file_name}: expected a control and a data member, got {sorted(found)}")


def tars_of(path: Path) -> list[tuple[str, bytes]]:
    """A package's tars and what they are, `control` or `data`."""
    found = []
    with path.open("rb") as file:
        for member in members(file, path.name):
            kind, dot, suffix = member.name.partition(".tar")
            if dot and kind in ("control", "data"):
                found.append((kind, tar_of(member, suffix, path.name)))
    return found


def tar_of(member: Member, suffix: str, package: str) -> bytes:
    """The tar of a member; UnreadablePackage for a compression that Python 3.11 cannot read."""
    if suffix not in COMPRESSIONS:
        raise UnreadablePackage(
            f"{package} holds {member.name}: compression {suffix!r} cannot be read here\n"
            f"  expected one of {', '.join(filter(None, COMPRESSIONS))} (Debian's packages use .xz, some derivatives'"
            " .zst)\n  Lock this package from Debian."
        )
    return COMPRESSIONS[suffix](member.data)


def unpack_control(tar: tarfile.TarFile, tree: Tree, file_name: str) -> str:
    """Keep the package's control record; returns the package's own name, which the file's name need not be."""
    for item in tar:
        data = tar.extractfile(item) if os.path.normpath(item.name) == "control" and item.isfile() else None
        if data is None:
            continue
        record = data.read()
        name = re.search(rb"^Package:[ \t]*(\S+)[ \t]*$", record, re.M)
        if not name or not NAME.fullmatch(name[1].decode("ascii", "replace")):
            raise UnreadablePackage(f"{file_name}: its control record has no usable 'Package:' line")
        package = name[1].decode()
        tree.file(f"{STATUS}/{package}", io.BytesIO(record), False, package)
        return package
    raise UnreadablePackage(f"{file_name} has no control record")


def unpack_data(tar: tarfile.TarFile, tree: Tree, package: str) -> None:
    """Write a package's files, links and folders into the tree."""
    for item in tar:
        if item.name.startswith("/"):
            raise UnsafePath(f"{package}: {item.name!r} is an absolute path")
        place = tree.resolve(item.name, package) if item.isdir() else in_folder(tree, item.name, package)
        if item.isdir():
            tree.folder(place)
        elif item.issym():
            tree.link(place, item.linkname, package)
        elif item.isfile():
            data = tar.extractfile(item)
            tree.file(place, data or io.BytesIO(), bool(item.mode & 0o111), package)
        else:
            kind = "a hard link" if item.islnk() else "a device, FIFO or unknown entry"
            raise UnsafePath(f"{package}: {item.name!r} is {kind}, which an image may not hold")


def in_folder(tree: Tree, name: str, package: str) -> str:
    """Like `Tree.resolve`, but the last part is not followed: it is about to be written."""
    above, _, last = name.rstrip("/").rpartition("/")
    if last in ("", ".", ".."):
        raise UnsafePath(f"{package}: {name!r} names no file")
    folder = tree.resolve(above, package)
    return f"{folder}/{last}" if folder else last
