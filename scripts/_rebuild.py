"""Builds a commit again, away from the work tree: its own sources, its own build, and nothing that was built before."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import _git, _nix
from ._aws import ROOT
from ._errors import OperationFailed

assert _nix  # makes `cache` importable
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
DIRTY = "-dirty"


def require_commit(revision: str) -> None:
    """Raise OperationFailed, with what to do, unless `revision` names a commit that this clone can build again."""
    if revision.endswith(DIRTY):
        raise OperationFailed(
            f"the image says that it was built from {revision}: from files that no commit holds, so nobody can build it"
            " again",
            "commit, then build, push and deploy that commit",
        )
    if not COMMIT.fullmatch(revision):
        raise OperationFailed(
            f"the image names no commit: its label org.opencontainers.image.revision is {revision or 'absent'!r}",
            "build it in a git clone of this project, then push and deploy it",
        )
    if not _git.has_commit(revision):
        raise OperationFailed(f"this clone does not hold the commit {revision}", "git fetch --all, then run it again")


def rebuild(revision: str, work: Path, *, cached: bool = False) -> Path:
    """Build a commit in the folder `work` and return the layout; OperationFailed with the build's own words.

    A clone, no second work tree: a kill leaves nothing behind in this repository. Its cache holds the fetched inputs,
    each compared with the lock again, and nothing else; with `cached` it is this machine's, with all its layers.
    """
    source, layout = work / "source", work / "rebuilt" / "image"
    run("git", "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(source))
    run("git", "-C", str(source), "checkout", "--quiet", "--detach", revision)
    environment = clean_environment()
    if not cached:
        environment["SCORE_PROCESSOR_CACHE"] = str(inputs_only(work / "cache"))
    command = [sys.executable, str(source / "nix" / "build.py"), "--output", str(layout), "--json"]
    done = subprocess.run(command, cwd=source, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise OperationFailed(f"the commit {revision} cannot be built again here", "read what the build said above")
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["revision"] == revision, "a fresh clone builds the commit that was checked out"
    return layout


def inputs_only(target: Path) -> Path:
    """A cache that shares this machine's fetched inputs and has nothing made of them."""
    from cache import cache_dir

    target.mkdir()
    inputs = cache_dir() / "inputs"
    inputs.mkdir(exist_ok=True)
    (target / "inputs").symlink_to(inputs)
    return target


def clean_environment() -> dict[str, str]:
    """The caller's environment, less what changes how git and Python behave."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON"))}


def run(*words: str) -> None:
    """Run git; OperationFailed with its own words."""
    done = subprocess.run(words, env=clean_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperationFailed(f"{' '.join(words[:3])} …: {done.stderr.strip()}")
