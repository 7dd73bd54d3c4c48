"""Folders of the cache for work in progress: gone when the work ends, and swept by the next one if it was killed."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cache import cache_dir, locked

PREFIX = "score-processor-"


@contextlib.contextmanager
def workspace(*, keep_leftovers: bool = False) -> Iterator[Path]:
    """A new folder on the cache's file system, so that what is finished can be renamed into the cache.

    What killed work left is swept, now or, to look through it first (`leftovers`), by the next workspace.
    """
    parent = cache_dir() / "work"
    parent.mkdir(exist_ok=True)
    with locked("work"):
        if not keep_leftovers:
            sweep(parent)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=PREFIX))
        folder.chmod(0o755)  # apt downloads as another user when root asks it to
        held = hold(folder)
    try:
        yield folder
    finally:
        remove(folder)
        os.close(held)


def hold(folder: Path) -> int:
    """Lock a folder for as long as the returned descriptor is open; BlockingIOError when another process has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def sweep(parent: Path) -> None:
    """Remove the folders that no living process holds."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            os.close(hold(folder))
            remove(folder)


def leftovers() -> list[Path]:
    """The folders that killed work left."""
    found = []
    for folder in sorted((cache_dir() / "work").glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError):
            os.close(hold(folder))
            found.append(folder)
    return found


def remove(folder: Path) -> None:
    """Remove a folder whatever the modes in it."""
    shutil.rmtree(folder, ignore_errors=True)
