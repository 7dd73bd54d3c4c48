"""Where everything fetched or derived is kept between builds, and how to write there without halves.

The cache may be deleted at any moment: it only saves time.
"""

import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

USE = "use"
# Kind → what it is. Those in `needs` are pruned; the others belong to tools that keep house themselves.
KINDS = {
    "inputs": "fetched packages, by the locks' hashes",
    "verified": "which of them were hashed, and when",
    "roots": "Debian packages unpacked",
    "layers": "the image's layers",
    "bytecode": "the assembler's own .pyc files",
    "unpacked": "layers as folders, for running functions",
    "sites": "Python packages of the local AWS",
    "uv-bin": "the pinned uv",
    "uv": "uv's own cache of Python packages (uv cache prune)",
    "pip": "a pip, where the host's Python has none",
    "apt": "what Debian's releases hold, read by make lock",
    "jsii": "CDK's libraries",
    "nix": "the store of the project's own Nix (nix-store --gc)",
    "nix-roots": "what the host's Nix must not collect",
    "work": "work in progress",
    "locks": "lock files",
}
# What tells tools that make backups, and us, that a folder is a cache.
TAG = "CACHEDIR.TAG"
TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# Fetched and derived by Score Processor (make clean-all)\n"
GONE = re.compile(r"(\.gone-\d+-)+")  # what a killed prune was removing


def cache_dir() -> Path:
    """`$SCORE_PROCESSOR_CACHE`, `$XDG_CACHE_HOME/score-processor` or `~/.cache/score-processor`; made if absent.

    FileNotFoundError for a user without a home, as a container's may be. FileExistsError for a folder that holds other
    things: here old work is swept away.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(os.environ.get("SCORE_PROCESSOR_CACHE") or f"{base}/score-processor")
    try:
        folder = folder.expanduser()
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "nobody knows where this user's home is", str(folder)) from None
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / TAG).exists():
        # Killed runs of earlier versions left folders whose names begin with tmp; a disk of its own has the other.
        if not all(is_ours(path) or path.name.startswith(("tmp", "lost+found")) for path in folder.iterdir()):
            raise FileExistsError(
                errno.EEXIST, "holds other things than this cache; name a folder of its own", str(folder)
            )
        with contextlib.suppress(OSError):  # one that can only be read
            (folder / TAG).write_text(TAG_TEXT, encoding="ascii")
    return folder.resolve()


def is_ours(path: Path) -> bool:
    """Whether an entry of the cache's folder is one that we make."""
    return GONE.sub("", path.name) in (*KINDS, TAG)


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
