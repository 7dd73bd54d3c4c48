"""The cached inputs: what is in the cache is what the lock says, or it is said and counts as missing.

A file is hashed once; after that its size, times and inode vouch for it, so that looking at a hundred inputs takes
milliseconds. Whatever alters a file also alters its change time, and then it is hashed again.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from cache import cache_dir
from pins import Input


def folder() -> Path:
    """Where the inputs lie."""
    return made(cache_dir() / "inputs")


def made(path: Path) -> Path:
    """The folder `path`, made if absent."""
    path.mkdir(parents=True, exist_ok=True)
    return path


def place(wanted: Input) -> Path:
    """Where an input lies once it is cached."""
    return folder() / wanted.file_name


def stamp(path: Path) -> str:
    """What changes when anybody writes to a file."""
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def record(wanted: Input) -> Path:
    """Where the stamp of a file that was hashed is kept."""
    return made(cache_dir() / "verified") / wanted.file_name


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def holds(wanted: Input, *, say: bool = True) -> bool:
    """Is the input cached, whole and unaltered? If it is there but wrong, says so and removes it."""
    path = place(wanted)
    try:
        now = stamp(path)
    except FileNotFoundError:
        return False
    with contextlib.suppress(FileNotFoundError):
        if record(wanted).read_bytes() == now.encode():
            return True
    try:
        problem = mismatch(wanted, path)
        if problem is None:
            vouch(wanted)
            return True
    except FileNotFoundError:  # another process has found it wrong, too
        return False
    if say:
        print(f"cache: {problem}; fetching it again", file=sys.stderr, flush=True)
    path.unlink(missing_ok=True)
    return False


def mismatch(wanted: Input, path: Path) -> str | None:
    """What is wrong with the file at `path`, both sides said; None when it is what the lock says."""
    size = path.stat().st_size
    if size != wanted.size:
        return f"{wanted}: expected {wanted.size} bytes, got {size} bytes"
    got = sha256(path)
    if got != wanted.sha256:
        return f"{wanted}: expected sha256:{wanted.sha256}, got sha256:{got}"
    return None


def vouch(wanted: Input) -> None:
    """Remember that the cached file was hashed and is right."""
    write(record(wanted), stamp(place(wanted)))


def write(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def take(path: Path, wanted: Input) -> None:
    """Move a file of the cache's file system, already hashed and right, to its place."""
    path.chmod(0o644)
    path.replace(place(wanted))
    vouch(wanted)


def take_checked(path: Path, wanted: Input) -> bool:
    """Move a file to its place if it is the input, else remove it."""
    if mismatch(wanted, path) is None:
        take(path, wanted)
        return True
    path.unlink()
    return False


def missing(wanted: Iterable[Input]) -> list[Input]:
    """The inputs that are not in the cache, in the order of `wanted`, each once."""
    return [one for one in dict.fromkeys(wanted) if not holds(one)]
