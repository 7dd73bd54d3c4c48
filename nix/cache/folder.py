"""The folder that keeps everything fetched or derived between builds, and its locks.

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
# Kind → what it is. The kinds that nix.cache_roots knows are pruned; the others are left to the tools that own them.
KINDS = {
    "inputs": "fetched packages, by the locks' hashes",
    "verified": "which of them were hashed, and when",
    "roots": "Debian packages unpacked",
    "layers": "the image's layers",
    "assembler": "the assembler and its bytecode",
    "unpacked": "layers as folders, for running functions",
    "sites": "Python packages of the local AWS",
    "uv-bin": "the pinned uv",
    "uv": "uv's own cache of Python packages (uv cache prune)",
    "pip": "a pip, where the host's Python has none",
    "apt": "package lists of Debian's releases, for make lock",
    "jsii": "CDK's libraries",
    "nix": "the store of the project's own Nix (nix-store --gc)",
    "machines": "root file systems that tests/fresh plays",
    "nix-roots": "store paths that the host's Nix must keep",
    "work": "work in progress",
    "locks": "lock files",
}
# Marks a folder as a cache, for backup tools and for this project.
TAG = "CACHEDIR.TAG"
TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# Fetched and derived by Score Processor (make clean-all)\n"
FORMER = ("bytecode",)  # kinds of earlier versions; pruned
GONE = re.compile(r"(\.gone-\d+-)+")  # what a killed prune was removing


def create_cache_dir() -> Path:
    """Return the cache's folder, created if it is missing.

    It is `$SCORE_PROCESSOR_CACHE`, else `$XDG_CACHE_HOME/score-processor`, else `~/.cache/score-processor`.
    FileNotFoundError if the user has no home, as in some containers. FileExistsError if the folder holds other files,
    because old work in a cache is deleted.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(os.environ.get("SCORE_PROCESSOR_CACHE") or f"{base}/score-processor")
    try:
        folder = folder.expanduser()
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "this user has no home directory", str(folder)) from None
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / TAG).exists():
        # Killed runs of earlier versions left folders named tmp…, and a dedicated disk has lost+found.
        if not all(is_ours(path) or path.name.startswith(("tmp", "lost+found")) for path in folder.iterdir()):
            raise FileExistsError(
                errno.EEXIST,
                "has files that are not this cache's\nnext: set SCORE_PROCESSOR_CACHE to a folder of its own",
                str(folder),
            )
        with contextlib.suppress(OSError):  # read-only
            (folder / TAG).write_text(TAG_TEXT, encoding="ascii")
    return folder.resolve()


def is_ours(path: Path) -> bool:
    """Return whether an entry of the cache's folder is one that this project makes."""
    return GONE.sub("", path.name) in (*KINDS, *FORMER, TAG)


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """Use the cache: nothing is pruned inside this block. A shared lock; waits while another process prunes."""
    with hold(USE, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def exclusive() -> Iterator[None]:
    """Hold the exclusive prune lock; new users of the cache wait. Raises BlockingIOError if the cache is in use."""
    with hold(USE, fcntl.LOCK_EX | fcntl.LOCK_NB):
        yield


@contextlib.contextmanager
def hold_lock(name: str) -> Iterator[None]:
    """Hold the lock `name` of this cache, after waiting for its holder; a killed holder releases it."""
    with hold(name, fcntl.LOCK_EX):
        yield


def is_read_only() -> bool:
    """Return whether this process cannot write to the cache; what is complete in it can still be used."""
    return not os.access(create_cache_dir(), os.W_OK)


@contextlib.contextmanager
def hold(name: str, how: int) -> Iterator[None]:
    """Hold a lock file in one of flock's modes. In a read-only cache it is held only if its file already exists.

    Waits, unless `how` has LOCK_NB, which raises BlockingIOError. The file stays behind: removing it would let two
    processes hold the lock of one name.
    """
    path, read_only = create_cache_dir() / "locks" / name, is_read_only()
    if read_only and not path.exists():
        yield
        return
    path.parent.mkdir(exist_ok=True)
    with path.open("r" if read_only else "w") as file:
        fcntl.flock(file, how)
        yield
