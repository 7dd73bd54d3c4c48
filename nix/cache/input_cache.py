"""Verified input cache. An entry that does not match its locked hash is reported and treated as missing.

A file is hashed once. After that its size, times and inode are compared, so that checking a hundred inputs takes
milliseconds: any write changes the file's change time, and then it is hashed again.
"""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from nix.cache.folder import create_cache_dir
from nix.oci.digest import digest_file, encoded
from nix.pins import Input


def locate_inputs() -> Path:
    """Return the folder of the cached inputs."""
    return ensure_folder(create_cache_dir() / "inputs")


def ensure_folder(path: Path) -> Path:
    """Create the folder `path` if it is missing, and return it."""
    path.mkdir(parents=True, exist_ok=True)
    return path


def locate_input(wanted: Input) -> Path:
    """Return the path of an input in the cache, cached or not."""
    return create_cache_dir() / "inputs" / wanted.file_name


def stamp(path: Path) -> str:
    """Return the values of which any write to a file changes at least one: size, times, inode."""
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def stamp_path(wanted: Input) -> Path:
    """Return the path of the record of an input's stamp at its last verification."""
    return create_cache_dir() / "verified" / wanted.file_name


def hash_file(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    return encoded(digest_file(path))


def is_cached(wanted: Input) -> bool:
    """Return whether an input is cached and unaltered; an altered one is reported and removed.

    A file is hashed once: as long as its size, times and inode are as they were then, it counts as unaltered.
    """
    path = locate_input(wanted)
    try:
        now = stamp(path)
    except FileNotFoundError:
        return False
    with contextlib.suppress(FileNotFoundError):
        if stamp_path(wanted).read_bytes() == now.encode():
            return True
    try:
        problem = find_mismatch(wanted, path)
        if problem is None:
            record_stamp(wanted, now)  # taken before hashing, so that a change meanwhile is noticed next time
            return True
    except FileNotFoundError:  # another process has removed it as altered
        return False
    report(f"{problem}; fetching it again")
    with contextlib.suppress(OSError):  # removed meanwhile, or read-only
        path.unlink()
    return False


def report(line: str) -> None:
    """Print one line about an altered entry of the cache, and the consequence."""
    print(f"cache: {line}", file=sys.stderr, flush=True)


def find_mismatch(wanted: Input, path: Path) -> str | None:
    """Describe how the file at `path` differs from the pinned input; None if it does not.

    The size is compared first; only a file of the right size is read. FileNotFoundError if it is gone.
    """
    size = path.stat().st_size
    if size != wanted.size:
        return f"{wanted}: expected {wanted.size} bytes, got {size} bytes"
    got = hash_file(path)
    if got != wanted.sha256:
        return f"{wanted}: expected sha256:{wanted.sha256}, got sha256:{got}"
    return None


def record_stamp(wanted: Input, mark: str) -> None:
    """Record that the cached file was hashed with this stamp; in a read-only cache it is hashed again next time."""
    with contextlib.suppress(OSError):
        ensure_folder(stamp_path(wanted).parent)
        write_text(stamp_path(wanted), mark)


def write_text(path: Path, text: str) -> None:
    """Write a small file atomically."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def store(path: Path, wanted: Input) -> None:
    """Move a verified file, on the cache's file system, into the cache; its first use hashes it again there."""
    path.chmod(0o644)
    path.replace(locate_inputs() / wanted.file_name)


def store_if_valid(path: Path, wanted: Input) -> bool:
    """Move a file into the cache if it is the input, else remove it; returns whether it was."""
    if find_mismatch(wanted, path) is None:
        store(path, wanted)
        return True
    path.unlink()
    return False


def list_missing(wanted: Iterable[Input]) -> list[Input]:
    """List the inputs that are not in the cache, in the order of `wanted`, each once."""
    return [one for one in dict.fromkeys(wanted) if not is_cached(one)]
