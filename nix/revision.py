"""Which commit is being built, and which of its files git tracks."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
UNKNOWN = "unknown"
DIRTY = "-dirty"
HEAD = ("rev-parse", "--show-toplevel", "HEAD")
STATUS = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
KEPT_OF_GIT = ("GIT_EXEC_PATH",)  # where git itself is installed


@dataclass(frozen=True)
class Checkout:
    """The work tree: its commit, `-dirty` appended when tracked files differ; tracked and untracked paths of folders.

    Without git the revision is `unknown` and `tracked` is None: all files count.
    """

    revision: str
    tracked: tuple[str, ...] | None
    untracked: tuple[str, ...] = ()


def checkout(folders: tuple[str, ...], repository: Path = REPOSITORY) -> Checkout:
    """What git says about `repository` and the files in some of its folders."""
    with ThreadPoolExecutor() as pool:
        files = ("ls-files", "-z", "--", *folders)
        head, status, listed = pool.map(lambda words: git(repository, *words), (HEAD, STATUS, files))
    top, _, commit = (head or "").strip().rpartition("\n")
    if not top or Path(top).resolve() != repository.resolve() or listed is None or status is None:
        return Checkout(UNKNOWN, None)
    lines = [line for line in status.split("\0") if line]
    dirty = any(not line.startswith("??") for line in lines)
    new = tuple(line[3:] for line in lines if line.startswith("?? ") and line[3:].startswith(prefixes(folders)))
    return Checkout(commit + (DIRTY if dirty else ""), tuple(path for path in listed.split("\0") if path), new)


def prefixes(folders: tuple[str, ...]) -> tuple[str, ...]:
    """The folders as the beginnings of paths."""
    return tuple(f"{folder}/" for folder in folders)


def git(repository: Path, *words: str) -> str | None:
    """What git prints; None when there is no git, or it is no repository of git's."""
    options = ("--no-optional-locks", "-c", "safe.directory=*", "-c", "core.quotepath=off", "-C", str(repository))
    try:
        done = subprocess.run(["git", *options, *words], capture_output=True, check=False, env=without_gits_own())
    except OSError:
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def without_gits_own() -> dict[str, str]:
    """The variables of this process, less those by which a hook, or an editor, names another repository or index."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in KEPT_OF_GIT}
