"""Unpack Debian packages into a merged-/usr tree, without dpkg and without running their scripts.

Packages are not trusted: every name is resolved inside the tree, through the links that packages have made, and entries
that an image must not have (devices, FIFOs, hard links) are refused.
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

from .exceptions import PathConflict, UnreadablePackage, UnsafePath
from .nar import nar_hash

__all__ = ["nar_hash", "unpack_debs"]

AR_MAGIC = b"!<arch>\n"
AR_HEADER = 60
# Packages write to /bin as well as to /usr/bin: links make one directory of the two, as every Debian of today has.
MERGED = ("bin", "lib", "lib64", "sbin")
STATUS = "var/lib/dpkg/status.d"
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
MOST_LINKS = 40  # Linux's limit; a circle of links ends here
NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
BLOCK = 1 << 20


@dataclass(frozen=True)
class ArMember:
    """One member of an ar archive."""

    name: str
    data: bytes


def read_members(file: BinaryIO, name: str) -> Iterator[ArMember]:
    """Yield the members of an ar archive; raises UnreadablePackage if it is not one, or truncated."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(len(AR_MAGIC)) != AR_MAGIC:
        raise UnreadablePackage(f"not a Debian package: {name}: it does not start with {AR_MAGIC!r}")
    at = len(AR_MAGIC)
    while at < size:
        file.seek(at)
        header = file.read(AR_HEADER)
        digits = header[48:58].strip()
        if len(header) < AR_HEADER or header[58:] != b"`\n" or not digits.isdigit():
            raise UnreadablePackage(f"{name}: got no ar header at byte {at}, expected one")
        length = int(digits)
        if at + AR_HEADER + length > size:
            raise UnreadablePackage(
                f"{name} is truncated: got {size} bytes, expected at least {at + AR_HEADER + length}"
            )
        member = header[:16].decode("ascii", "replace").strip().rstrip("/")
        yield ArMember(member, file.read(length))
        at += AR_HEADER + length + length % 2


@dataclass
class UnpackedTree:
    """A tree being unpacked: `origins` has the package of each file and link, `links` the targets, by path."""

    root: Path
    origins: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def create_folder(self, path: str) -> None:
        """Create the directory `path` and its parents with mode 0755, whatever the umask.

        Raises PathConflict if one of them is a file.
        """
        created = ""
        for part in filter(None, path.split("/")):
            created = f"{created}/{part}" if created else part
            if created in self.origins:
                raise PathConflict(f"/{path}: its parent /{created} is a file of {self.origins[created]}")
            target = self.root / created
            if not target.is_dir():
                target.mkdir()
                target.chmod(0o755)

    def claim(self, path: str, package: str) -> Path:
        """Reserve a path for a file or link of `package`; raises PathConflict if it is taken."""
        if path in self.origins or (self.root / path).is_dir():
            other = self.origins.get(path, "another package, as a directory")
            raise PathConflict(f"two packages have /{path}: {other} and {package}\n  next: lock only one of them")
        self.create_folder(path.rpartition("/")[0])
        self.origins[path] = package
        return self.root / path

    def link(self, path: str, target: str, package: str) -> None:
        """Create a symbolic link that later names may lead through; raises UnsafePath if it leaves the tree."""
        self.resolve(target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}", package)
        self.claim(path, package).symlink_to(target)
        self.links[path] = target

    def write_file(self, path: str, data: IO[bytes], executable: bool, package: str) -> None:
        """Write a file; of its mode only the executable bit is kept. Raises PathConflict if the path is taken."""
        place = self.claim(path, package)
        with place.open("xb") as out:
            while block := data.read(BLOCK):
                out.write(block)
        place.chmod(0o755 if executable else 0o644)

    def resolve(self, name: str, package: str) -> str:
        """Resolve `name` to a path in the tree without links; raises UnsafePath if it leads out of the tree."""
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
    """Unpack packages, in order, into the new folder `root`; returns the package of every file and link, by path.

    Each package's control record is written to `var/lib/dpkg/status.d/NAME`, where scanners look for it. Raises
    UnreadablePackage, UnsafePath or PathConflict with the package's name; the caller then removes the partial `root`.
    """
    root.mkdir(parents=True)
    root.chmod(0o755)
    tree = UnpackedTree(root)
    for name in MERGED:
        tree.create_folder(f"usr/{name}")
        tree.link(name, f"usr/{name}", "merged /usr")
    pool = ThreadPoolExecutor(os.cpu_count())  # decompression takes longest, and releases the interpreter lock
    try:
        tars = deque((path.name, pool.submit(read_tars, path)) for path in paths)
        while tars:
            name, job = tars.popleft()
            with faults_named(name):
                unpack_tars(name, job.result(), tree)
    finally:
        pool.shutdown(cancel_futures=True)
    return tree.origins


@contextmanager
def faults_named(package: str) -> Iterator[None]:
    """Convert the exceptions of tarfile and the decompressors to UnreadablePackage."""
    try:
        yield
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno is not None:
            raise  # of the file system, not of the package
        raise UnreadablePackage(f"cannot unpack {package}: {problem or type(problem).__name__}") from problem


def unpack_tars(file_name: str, tars: list[tuple[str, bytes]], tree: UnpackedTree) -> None:
    """Unpack the control and data tars of one package into the tree.

    Control comes first in a package, and names it in later conflicts. Raises UnreadablePackage unless there is one tar
    of each kind or more, and UnsafePath or PathConflict for an entry.
    """
    package = file_name
    for kind, data in tars:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            if kind == "control":
                package = unpack_control(tar, tree, file_name)
            else:
                unpack_data(tar, tree, package)
    kinds = {kind for kind, _ in tars}
    if kinds != {"control", "data"}:
        raise UnreadablePackage(f"{file_name}: got the members {sorted(kinds)}, expected control and data")


def read_tars(path: Path) -> list[tuple[str, bytes]]:
    """Return the kind, `control` or `data`, and the unpacked bytes of each tar in a package, in its order.

    Raises UnreadablePackage, or what the decompressor raises for damaged data, which `faults_named` converts.
    """
    tars = []
    with path.open("rb") as file:
        for member in read_members(file, path.name):
            kind, dot, suffix = member.name.partition(".tar")
            if dot and kind in ("control", "data"):
                tars.append((kind, decompress_tar(member, suffix, path.name)))
    return tars


def decompress_tar(member: ArMember, suffix: str, package: str) -> bytes:
    """Decompress a member; raises UnreadablePackage for a compression that Python 3.11 does not support."""
    if suffix not in COMPRESSIONS:
        raise UnreadablePackage(
            f"{package}: {member.name}: got compression {suffix!r}, expected one of"
            f" {', '.join(filter(None, COMPRESSIONS))}\n"
            "  next: lock the package from Debian, which uses .xz; some derivatives use .zst"
        )
    return COMPRESSIONS[suffix](member.data)


def unpack_control(tar: tarfile.TarFile, tree: UnpackedTree, file_name: str) -> str:
    """Write the package's control record, and return the name in it, which may differ from the file's.

    Raises UnreadablePackage without a record, or for a name that Debian's policy does not allow: it becomes a path.
    """
    for item in tar:
        data = tar.extractfile(item) if os.path.normpath(item.name) == "control" and item.isfile() else None
        if data is None:
            continue
        record = data.read()
        name = re.search(rb"^Package:[ \t]*(\S+)[ \t]*$", record, re.M)
        if not name or not NAME.fullmatch(name[1].decode("ascii", "replace")):
            raise UnreadablePackage(f"{file_name}: its control record has no valid 'Package:' line")
        package = name[1].decode()
        tree.write_file(f"{STATUS}/{package}", io.BytesIO(record), False, package)
        return package
    raise UnreadablePackage(f"{file_name} has no control record")


def unpack_data(tar: tarfile.TarFile, tree: UnpackedTree, package: str) -> None:
    """Write a package's files, links and directories into the tree; raises UnsafePath for any other entry."""
    for item in tar:
        if item.name.startswith("/"):
            raise UnsafePath(f"{package}: {item.name!r} is an absolute path")
        place = tree.resolve(item.name, package) if item.isdir() else in_folder(tree, item.name, package)
        if item.isdir():
            tree.create_folder(place)
        elif item.issym():
            tree.link(place, item.linkname, package)
        elif item.isfile():
            data = tar.extractfile(item)
            tree.write_file(place, data or io.BytesIO(), bool(item.mode & 0o111), package)
        else:
            kind = "a hard link" if item.islnk() else "a device, FIFO or unknown entry"
            raise UnsafePath(f"{package}: {item.name!r} is {kind}, expected a file, directory or symbolic link")


def in_folder(tree: UnpackedTree, name: str, package: str) -> str:
    """Resolve a name except for its last part, which is about to be written; raises UnsafePath."""
    above, _, last = name.rstrip("/").rpartition("/")
    if last in ("", ".", ".."):
        raise UnsafePath(f"{package}: {name!r} is not the name of a file")
    folder = tree.resolve(above, package)
    return f"{folder}/{last}" if folder else last
