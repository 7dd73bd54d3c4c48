"""The base layer: the unpacked Debian root, less what no function reads."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from oci.bytecode import add_bytecode
from oci.contents import Contents, File, Folder, Held, Link, OnDisk
from oci.digest import ALGORITHM, require
from oci.nar import nar_hash
from oci.places import BUNDLE, OPENSSL_BUNDLE, TASK

CERTIFICATES = "usr/share/ca-certificates/"

# Each line: what it is, and why no function reads it.
DROPPED = re.compile(
    "|".join(
        (
            r"usr/share/doc/.*/(?!copyright$)[^/]+$",  # documentation; the licences stay
            r"usr/share/(man|lintian|bug|doc-base|pixmaps|menu|applications|base-files|binfmts|gcc|gdb|info)/",
            r"usr/share/(libc-bin|python-wheels|zoneinfo/(right|posix))/",
            r"usr/share/ca-certificates/",  # all in one bundle
            r"usr/bin/(?!python3)",  # tools of the distribution
            r"usr/sbin/",
            r"usr/lib/x86_64-linux-gnu/(gconv|audit|ossl-modules|engines-3)/",  # encodings that Python has itself
            r"usr/lib/python3\.11/(test|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pydoc_data|curses)/",
            # extension modules whose libraries the image does not carry
            r"usr/lib/python3\.11/lib-dynload/_?(curses|readline|dbm|nis|crypt|tkinter|test|xx|ctypes_test)",
            r"(usr/lib/python3\.11/sitecustomize\.py|usr/share/zoneinfo/localtime)$",  # links to what no package brings
            r"etc/(?!ssl/|mime\.types|protocols|services|rpc|ethertypes|os-release|debian_version)",
            r"(home|root|media|mnt|srv|opt|boot|sys|proc|dev|run|tmp)(/|$)",
            r"var/(?!lib/dpkg/status\.d/)",  # the packages' records stay, so that scanners see them
            r"s?bin$|lib(32|64|x32)?$",  # links of the merged /usr come back below, where they lead somewhere
        )
    )
)
MERGED = ("bin", "lib", "lib64")

WRITTEN = {
    "etc/passwd": b"root:x:0:0:root:/root:/usr/sbin/nologin\n"
    b"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": b"hosts: files dns\n",
}
# Mount points of every container runtime, and what programs expect to be there.
FOLDERS = ("dev", "proc", "root", "run", "sys", TASK)
SHARED_FOLDERS = ("tmp", "var/tmp")
SHARED_MODE = 0o1777


def base_contents(root: Path, expected: str | None) -> Contents:
    """The entries of the base layer; InputMismatch when the tree's NAR hash is not `expected`, if that is given."""
    if expected is not None:
        require(f"the unpacked root {root}", expected, ALGORITHM + nar_hash(root))
    contents = Contents()
    for path, full in tree(root):
        add_from_root(contents, path, full)
    add_written(contents, root)
    add_bytecode(contents)
    return contents


def tree(root: Path) -> Iterator[tuple[str, Path]]:
    """(path in the image, path on disk) of everything below `root` but folders, which follow from their files."""
    for where, folders, files in os.walk(root):
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        for name in sorted(files + links):
            full = Path(where) / name
            path = full.relative_to(root).as_posix()
            if not DROPPED.match(path):
                yield path, full


def add_from_root(contents: Contents, path: str, full: Path) -> None:
    """Add one link or file of the root."""
    if full.is_symlink():
        contents.add(path, Link(str(full.readlink())), "debian")
    elif full.is_file():
        # The mode, never access(): that answers for whoever builds.
        contents.add(path, File(OnDisk(full), bool(full.stat().st_mode & 0o111)), "debian")


def add_written(contents: Contents, root: Path) -> None:
    """Add what the packages' own scripts would make on an installed system."""
    origin = "assembler"
    for link in MERGED:
        contents.add(link, Link(f"usr/{link}"), origin)
    certificates = sorted((root / CERTIFICATES).rglob("*.crt"), key=lambda path: bytes(path))
    bundle = b"".join(path.read_bytes().strip() + b"\n" for path in certificates)
    contents.add(BUNDLE, File(Held(bundle)), origin)
    contents.add(OPENSSL_BUNDLE, Link("/" + BUNDLE), origin)
    for path, text in WRITTEN.items():
        contents.add(path, File(Held(text)), origin)
    if "usr/bin/python3" not in contents:
        contents.add("usr/bin/python3", Link("python3.11"), origin)
    for folder in FOLDERS:
        contents.add(folder, Folder(), origin)
    for folder in SHARED_FOLDERS:
        contents.add(folder, Folder(SHARED_MODE), origin)
