"""The base layer: the unpacked Debian root, without the files that no function reads."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from .bytecode import add_bytecode
from .contents import Contents, File, Folder, InMemory, Link, OnDisk
from .digest import ALGORITHM, require
from .nar import nar_hash
from .paths import BUNDLE, OPENSSL_BUNDLE, TASK

CERTIFICATES = "usr/share/ca-certificates/"

# Paths that the image leaves out, with the reason that no function reads them.
DROPPED = re.compile(
    "|".join(
        (
            r"usr/share/doc/.*/(?!copyright$)[^/]+$",  # documentation, except licences
            r"usr/share/(man|lintian|bug|doc-base|pixmaps|menu|applications|base-files|binfmts|gcc|gdb|info)/",
            r"usr/share/(libc-bin|python-wheels|zoneinfo/(right|posix))/",
            r"usr/share/ca-certificates/",  # all in one bundle
            r"usr/bin/(?!python3)",  # the distribution's tools
            r"usr/sbin/",
            r"usr/lib/x86_64-linux-gnu/(gconv|audit|ossl-modules|engines-3)/",  # encodings, which Python has built in
            r"usr/lib/python3\.11/(test|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pydoc_data|curses)/",
            # their libraries are not in the image
            r"usr/lib/python3\.11/lib-dynload/_?(curses|readline|dbm|nis|crypt|tkinter|test|xx|ctypes_test)",
            r"(usr/lib/python3\.11/sitecustomize\.py|usr/share/zoneinfo/localtime)$",  # dangling links
            r"etc/(?!ssl/|mime\.types|protocols|services|rpc|ethertypes|os-release|debian_version)",
            r"(home|root|media|mnt|srv|opt|boot|sys|proc|dev|run|tmp)(/|$)",
            r"var/(?!lib/dpkg/status\.d/)",  # package records stay, for scanners
            r"s?bin$|lib(32|64|x32)?$",  # links of the merged /usr; see add_generated()
        )
    )
)
MERGED = ("bin", "lib", "lib64")

GENERATED = {
    "etc/passwd": b"root:x:0:0:root:/root:/usr/sbin/nologin\n"
    b"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": b"hosts: files dns\n",
}
# Mount points of container runtimes, and directories that programs expect.
FOLDERS = ("dev", "proc", "root", "run", "sys", TASK)
SHARED_FOLDERS = ("tmp", "var/tmp")
SHARED_MODE = 0o1777


def collect_base(root: Path, expected: str | None) -> Contents:
    """Collect the entries of the base layer from an unpacked root, a folder that `unpack_debs` made.

    `expected` is the digest of the root's Nix archive; None skips the check, which reads every file. Raises
    InputMismatch if it differs.
    """
    if expected is not None:
        require(f"the unpacked root {root}", expected, ALGORITHM + nar_hash(root))
    contents = Contents()
    for path, full in walk_root(root):
        add_from_root(contents, path, full)
    add_generated(contents, root)
    add_bytecode(contents)
    return contents


def walk_root(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path in the image, path on disk) of every kept file and link; directories follow from these."""
    for where, folders, files in os.walk(root):
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        for name in sorted(files + links):
            full = Path(where) / name
            path = full.relative_to(root).as_posix()
            if not DROPPED.match(path):
                yield path, full


def add_from_root(contents: Contents, path: str, full: Path) -> None:
    """Add one file or link of the root; a device, FIFO or socket is left out."""
    if full.is_symlink():
        contents.add(path, Link(str(full.readlink())), "debian")
    elif full.is_file():
        # From the mode: access() would answer for the user who builds, and for root always yes.
        contents.add(path, File(OnDisk(full), bool(full.stat().st_mode & 0o111)), "debian")


def add_generated(contents: Contents, root: Path) -> None:
    """Add what the packages' install scripts would create: the merged /usr, one bundle of all certificates, users.

    The scripts never run: they would need a shell, the host's tools and root, and their output may vary.
    """
    origin = "assembler"
    for link in MERGED:
        contents.add(link, Link(f"usr/{link}"), origin)
    certificates = sorted((root / CERTIFICATES).rglob("*.crt"), key=lambda path: bytes(path))
    bundle = b"".join(path.read_bytes().strip() + b"\n" for path in certificates)
    contents.add(BUNDLE, File(InMemory(bundle)), origin)
    contents.add(OPENSSL_BUNDLE, Link("/" + BUNDLE), origin)
    for path, text in GENERATED.items():
        contents.add(path, File(InMemory(text)), origin)
    if "usr/bin/python3" not in contents:
        contents.add("usr/bin/python3", Link("python3.11"), origin)
    for folder in FOLDERS:
        contents.add(folder, Folder(), origin)
    for folder in SHARED_FOLDERS:
        contents.add(folder, Folder(SHARED_MODE), origin)
