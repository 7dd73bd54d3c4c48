"""The commit of the work tree, by git. Without git every answer is `unknown`, False or empty."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from nix.oci.config import UNCOMMITTED
from nix.revision import create_git_environment

from ..console.errors import OperationFailed
from . import ROOT

UNKNOWN = "unknown"


def _git(*arguments: str, folder: Path = ROOT) -> str | None:
    try:
        words = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(words, env=create_git_environment(), capture_output=True, text=True, check=False)
    except FileNotFoundError:  # git is not installed: an archive can still be built and pushed
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def commit() -> str:
    """Return the work tree's commit."""
    return _git("rev-parse", "HEAD") or UNKNOWN


def is_dirty(folder: Path = ROOT) -> bool:
    """Return whether tracked files differ from the commit."""
    return bool(_git("status", "--porcelain", "--untracked-files=no", folder=folder))


def is_on_main(revision: str, folder: Path = ROOT) -> bool:
    """Return whether a commit is an ancestor of main or of origin/main."""
    branches = ("main", "origin/main")
    return any(_git("merge-base", "--is-ancestor", revision, one, folder=folder) is not None for one in branches)


def has_tag(name: str, folder: Path = ROOT) -> bool:
    """Return whether a tag of this name exists in this clone."""
    return _git("rev-parse", "--quiet", "--verify", f"refs/tags/{name}", folder=folder) is not None


def commit_files(message: str, paths: Sequence[Path], folder: Path = ROOT) -> None:
    """Commit these files. Raise OperationFailed if git refuses, for example because a hook failed."""
    _require("commit", "--quiet", "--message", message, "--", *map(str, paths), folder=folder)


def add_tag(name: str, message: str, folder: Path = ROOT) -> None:
    """Tag the current commit. Raise OperationFailed if git refuses."""
    _require("tag", "--annotate", name, "--message", message, folder=folder)


def _require(*arguments: str, folder: Path) -> None:
    if _git(*arguments, folder=folder) is None:
        raise OperationFailed(f"git {arguments[0]} failed in {folder}", f"git -C {folder} status")


def has_commit(revision: str) -> bool:
    """Return whether this clone has a commit."""
    return _git("cat-file", "-e", f"{revision}^{{commit}}") is not None


def is_uncommitted(revision: str) -> bool:
    """Return whether an image's label names the content of a changed work tree; images before 0.3 end in `-dirty`."""
    return revision.startswith(UNCOMMITTED) or revision.endswith("-dirty")


def shorten_revision(revision: str) -> str:
    """Return a commit's first 12 digits; `uncommitted-` and the digits of the content if it is of none."""
    base, _, mark = revision.partition("-")
    return f"{base[:12]}-{mark}" if mark else base[:12]
