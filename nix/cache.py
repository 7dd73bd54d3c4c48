"""Where everything fetched or derived is kept between builds, and how to write there without halves.

The cache may be deleted at any moment: it only saves time.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def cache_dir() -> Path:
    """`$SCORE_PROCESSOR_CACHE`, `$XDG_CACHE_HOME/score-processor` or `~/.cache/score-processor`; made if absent."""
    given = os.environ.get("SCORE_PROCESSOR_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    folder = Path(given).expanduser() if given else Path(base) / "score-processor"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock `name` of this cache; another process that wants it waits. A killed holder lets go."""
    folder = cache_dir() / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
