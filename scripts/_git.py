"""What git knows about the work tree; everything is `unknown` or empty where there is no git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ._aws import ROOT

UNKNOWN = "unknown"


def _git(*arguments: str, folder: Path = ROOT) -> str | None:
    try:
        # In a hook git's own variables name another repository or index than the folder's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        words = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def commit() -> str:
    """Return the commit of the work tree."""
    return _git("rev-parse", "HEAD") or UNKNOWN


def is_dirty(folder: Path = ROOT) -> bool:
    """Whether tracked files differ from the commit."""
    return bool(_git("status", "--porcelain", "--untracked-files=no", folder=folder))


def is_on_main(revision: str, folder: Path = ROOT) -> bool:
    """Whether a commit is part of main, here or at the origin."""
    branches = ("main", "origin/main")
    return any(_git("merge-base", "--is-ancestor", revision, one, folder=folder) is not None for one in branches)


def has_commit(revision: str) -> bool:
    """Whether this clone holds a commit."""
    return _git("cat-file", "-e", f"{revision}^{{commit}}") is not None


def short_revision(revision: str) -> str:
    """Return a commit's first twelve digits, with its mark when the tree was dirty."""
    base, _, mark = revision.partition("-")
    return f"{base[:12]}-{mark}" if mark else base[:12]
