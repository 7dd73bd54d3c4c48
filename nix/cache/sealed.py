"""Folders of the cache that programs are run from: verified before and after each use, cheaply.

A sealed folder has a file `seal` beside it: the hash of its Nix archive, and a fingerprint of its entries' metadata.
Only if the fingerprint differs, as after the cache was copied, are all files read again.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from nix.cache.input_cache import write_text
from nix.oci.exceptions import OciError
from nix.oci.nar import nar_hash
from nix.pins import InputProblem

AGAIN = "next: stop the program that writes there, and run the same command again"
SEAL = "seal"
NOTHING: frozenset[str] = frozenset()


class Altered(InputProblem):
    """Raised if something in the cache was changed while it was used; whatever was made from it is discarded."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}\n{AGAIN}")


def compute_fingerprint(folder: Path, ignored: frozenset[str] = NOTHING) -> str:
    """Return a digest of the name, mode, size, times and inode of every entry below `folder`, less `ignored` names.

    No file is read. A file that was written and restored has another ctime; a folder in which an entry came and went
    has another mtime.
    """
    return hashlib.sha256(
        "".join(sorted(list_rows(os.fspath(folder), "", ignored))).encode(errors="replace")
    ).hexdigest()


def list_rows(folder: str, name: str, ignored: frozenset[str]) -> Iterator[str]:
    """Yield one line for each entry.

    Depth first, in the order of the file system: sort before comparing. A file's row has size, times and inode, since
    contents are not read; a link is not followed. Names in `ignored` are left out at every level.
    """
    with os.scandir(folder) as listing:
        for entry in listing:
            if entry.name in ignored:
                continue
            inner, result = f"{name}/{entry.name}", entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(result.st_mode):
                yield f"{inner} {result.st_mode} {result.st_mtime_ns}\n"
                yield from list_rows(entry.path, inner, ignored)
            else:
                times = f"{result.st_mtime_ns} {result.st_ctime_ns}"
                yield f"{inner} {result.st_mode} {result.st_size} {times} {result.st_ino}\n"


def seal(folder: Path, mark: str, tree_hash: str) -> None:
    """Record that `folder` had this hash while it had the fingerprint `mark`."""
    write_text(folder.parent / SEAL, f"{tree_hash} {mark}")


def verify(folder: Path, tree_hash: str | None, ignored: frozenset[str] = NOTHING) -> str | None:
    """Return the fingerprint of `folder` if it has this hash, by default the one in its seal; else None.

    While the fingerprint stays the same, nothing below the folder has changed.
    """
    try:
        mark = compute_fingerprint(
            folder, ignored
        )  # taken first, so that a change while files are read is noticed next time
        recorded, _, known = read_seal(folder)
        expected = tree_hash or recorded
        if (recorded, known) == (expected, mark):
            return mark
        if nar_hash(folder, ignored) != expected:
            return None
    except (OSError, ValueError, OciError):
        return None
    with contextlib.suppress(OSError):  # a read-only cache: verified again next time
        seal(folder, mark, expected)
    return mark


def read_seal(folder: Path) -> tuple[str, str, str]:
    """Return the hash in the seal of `folder`, a space, and the fingerprint; empty strings if there is none."""
    try:
        return (folder.parent / SEAL).read_text(encoding="ascii").partition(" ")
    except (OSError, ValueError):
        return "", "", ""
