"""Where everything fetched or derived is kept between builds, and how to write there without halves.

The cache may be deleted at any moment: it only saves time.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

USE = "use"


def cache_dir() -> Path:
    """`$SCORE_PROCESSOR_CACHE`, `$XDG_CACHE_HOME/score-processor` or `~/.cache/score-processor`; made if absent."""
    given = os.environ.get("SCORE_PROCESSOR_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    folder = Path(given).expanduser() if given else Path(base) / "score-processor"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """Work with what is in the cache: nobody takes anything away meanwhile. Many may hold this at once."""
    with held(USE, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def to_ourselves() -> Iterator[None]:
    """Take things away: BlockingIOError while anybody works with what is in the cache; who comes now waits."""
    with held(USE, fcntl.LOCK_EX | fcntl.LOCK_NB):
        yield


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock `name` of this cache; another process that wants it waits. A killed holder lets go."""
    with held(name, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def held(name: str, how: int) -> Iterator[None]:
    """Hold a lock file in one of flock's ways."""
    folder = cache_dir() / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w") as file:
        fcntl.flock(file, how)
        yield
