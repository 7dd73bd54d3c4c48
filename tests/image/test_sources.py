"""One digest for a commit, from every checkout of it that `git status` calls clean."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nix.oci.nar import nar_hash
from tests.checkouts import ROWS, Change, checked_out_with, git

LINE_ENDS = "".join(
    f"{pattern} text eol=crlf\n" for pattern in ("*.py", "nix/locks/*.lock", "*.toml", "nix/licences/*")
)
TABLE: dict[str, Change] = ROWS | {"line ends of all that a build reads": checked_out_with(LINE_ENDS)}
STAGE = (
    "import pathlib, sys; from nix.nix_build import write_flake_inputs; write_flake_inputs(pathlib.Path(sys.argv[1]))"
)


def run(source: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the Python of a checkout's own."""
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def build(source: Path, output: Path) -> dict[str, Any]:
    """Build the image of a checkout, and return its record."""
    record: dict[str, Any] = json.loads(run(source, "-m", "nix.build", "--json", "--output", output).stdout)
    return record


def hash_staged(source: Path, folder: Path) -> str:
    """Return the hash of the files that the checkout gives Nix."""
    folder.mkdir()
    run(source, "-c", STAGE, folder)
    return nar_hash(folder / "source")


@pytest.mark.parametrize("change", TABLE.values(), ids=list(TABLE))
def test_a_clean_checkout_builds_the_digest_of_its_commit(change: Change, clone: Path, tmp_path: Path) -> None:
    """Modes, attributes, filters and marks by which git hides a difference change neither the digest nor the label."""
    expected, settings = build(clone, tmp_path / "expected/image"), hash_staged(clone, tmp_path / "given")
    change(clone)
    got = build(clone, tmp_path / "got/image")
    assert (got["digest"], got["revision"]) == (expected["digest"], git(clone, "rev-parse", "HEAD"))
    assert hash_staged(clone, tmp_path / "row") == settings


def test_a_lock_that_git_does_not_show_as_edited_is_refused(clone: Path, tmp_path: Path) -> None:
    """The build parses two locks itself: if one is not the commit's, the error says so, and the remedy shows it."""
    lock = clone / "nix/locks/image-wheels.lock"
    git(clone, "update-index", "--assume-unchanged", "nix/locks/image-wheels.lock")
    lock.write_text(lock.read_text().replace("zstandard==", "zstandard2=="))
    command = [sys.executable, "-m", "nix.build", "--output", str(tmp_path / "out/image")]
    done = subprocess.run(
        command, cwd=clone, env={**os.environ, "PYTHONPATH": str(clone)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    first, remedy = done.stderr.strip().splitlines()
    assert first.startswith("build: nix/locks/image-wheels.lock: not the file of commit ")
    git(clone, *remedy.removeprefix("next: git ").split())
    assert git(clone, "status", "--porcelain") == "M nix/locks/image-wheels.lock"
    git(clone, "checkout", "--", ".")
    assert build(clone, tmp_path / "out/image")["revision"] == git(clone, "rev-parse", "HEAD")


def test_a_changed_checkout_is_labelled_by_its_content(clone: Path, tmp_path: Path) -> None:
    """The label of a changed tree depends on the image's content alone: the same in a copy without git."""
    (clone / "handler/app.py").write_bytes((clone / "handler/app.py").read_bytes() + b"# edited\n")
    changed = build(clone, tmp_path / "changed/image")
    (clone / ".git").rename(tmp_path / "git")
    copied = build(clone, tmp_path / "copied/image")
    assert changed["revision"].startswith("uncommitted-")
    assert copied["digest"] == changed["digest"]
    (clone / "handler/app.py").write_bytes((clone / "handler/app.py").read_bytes() + b"# again\n")
    assert build(clone, tmp_path / "again/image")["revision"] != changed["revision"]
