"""Rebuild a commit in a clone of its own, without the work tree and without earlier build results."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from nix.oci.config import REVISION
from nix.oci.source_archive import is_commit
from nix.revision import create_git_environment

from ..console.errors import OperationFailed
from . import ROOT, git


def require_commit(revision: str) -> None:
    """Raise OperationFailed unless `revision` names a commit that this clone can rebuild.

    The commit must be in this clone; nothing is fetched.
    """
    if git.is_uncommitted(revision):
        raise OperationFailed(
            f"the image was built from {revision}, a work tree with uncommitted changes, and cannot be rebuilt",
            "commit the changes, then build, push and deploy that commit",
        )
    if not is_commit(revision):
        raise OperationFailed(
            f"the image names no commit: label {REVISION}: got {revision or 'absent'!r}",
            "build it in a git clone of this project, then push and deploy it",
        )
    if not git.has_commit(revision):
        raise OperationFailed(f"this clone does not have commit {revision}", "git fetch --all, then run it again")


def rebuild(revision: str, work: Path, *, cached: bool = False) -> Path:
    """Build a commit in the new folder `work` and return its layout; OperationFailed if the build fails.

    The sources are cloned instead of added as a work tree, so that a kill leaves nothing behind in this repository.
    The build sees the fetched inputs, verified against the lock again, and no cached layer unless `cached`.
    """
    source, layout = work / "source", work / "rebuilt" / "image"
    run("git", "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(source))
    run("git", "-C", str(source), "checkout", "--quiet", "--detach", revision)
    environment = clean_environment()
    if not cached:
        environment["SCORE_PROCESSOR_CACHE"] = str(share_inputs(work / "cache"))
    # Commits before nix became a package ran the file itself.
    program = ["-m", "nix.build"] if (source / "nix" / "__init__.py").exists() else ["nix/build.py"]
    command = [sys.executable, *program, "--output", str(layout), "--json"]
    done = subprocess.run(command, cwd=source, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise OperationFailed(f"commit {revision} cannot be rebuilt on this machine", "see the build's messages above")
    record: dict[str, Any] = json.loads(done.stdout)
    assert record["revision"] == revision, "a fresh clone builds the commit that was checked out"
    return layout


def share_inputs(target: Path) -> Path:
    """Create a cache folder that shares this machine's fetched inputs and nothing else.

    Layers and environments are not shared, so that the rebuild cannot reuse what it is to verify. `target` must not
    exist. Inputs that the rebuild fetches are kept for all.
    """
    from nix.cache.folder import create_cache_dir

    target.mkdir()
    inputs = create_cache_dir() / "inputs"
    inputs.mkdir(exist_ok=True)
    (target / "inputs").symlink_to(inputs)
    return target


def clean_environment() -> dict[str, str]:
    """Return the caller's environment without the variables that change how git and Python behave."""
    return {name: value for name, value in create_git_environment().items() if not name.startswith("PYTHON")}


def run(*words: str) -> None:
    """Run git; OperationFailed with its message if it fails."""
    done = subprocess.run(words, env=clean_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperationFailed(f"{' '.join(words[:3])} …: {done.stderr.strip()}")
