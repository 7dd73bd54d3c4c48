"""Temporary folders in the cache, removed when the work ends or, if it is killed, by the next workspace."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nix.cache.folder import create_cache_dir, hold_lock

PREFIX = "score-processor-"


@contextlib.contextmanager
def workspace(*, keep_leftovers: bool = False) -> Iterator[Path]:
    """Create a folder on the cache's file system, from which finished files can be renamed into the cache.

    Folders of killed work are removed first, except with `keep_leftovers`: then the next workspace removes them.
    """
    parent = create_cache_dir() / "work"
    parent.mkdir(exist_ok=True)
    with hold_lock("work"):
        if not keep_leftovers:
            sweep(parent)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=PREFIX))
        folder.chmod(0o755)  # run by root, apt downloads as another user
        held = hold(folder)
    try:
        yield folder
    finally:
        remove(folder)
        os.close(held)


def hold(folder: Path) -> int:
    """Lock a folder until the returned descriptor is closed; BlockingIOError if another process holds it.

    Does not wait. The lock of a process that is killed is released with it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def sweep(parent: Path) -> None:
    """Remove the folders that no process holds."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            os.close(hold(folder))
            remove(folder)


def list_leftovers() -> list[Path]:
    """List the folders that killed work left."""
    folders = []
    for folder in sorted((create_cache_dir() / "work").glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError):
            os.close(hold(folder))
            folders.append(folder)
    return folders


def remove(folder: Path) -> None:
    """Remove a folder, as far as its modes permit."""
    shutil.rmtree(folder, ignore_errors=True)
