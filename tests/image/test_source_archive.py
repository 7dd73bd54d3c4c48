"""An image built from a source archive, without git."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def build(source: Path, output: Path) -> tuple[dict[str, Any], str]:
    """Build in a process of the source's own; returns the record of the image, and standard error."""
    command = [sys.executable, "-m", "nix.build", "--json", "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_an_archive_builds_the_digest_of_its_commit(clone: Path, archive: Path, tmp_path: Path) -> None:
    """The image of an extracted archive equals that of a clone at the same commit, labels included."""
    expected, _ = build(clone, tmp_path / "from-clone")
    got, errors = build(archive, tmp_path / "from-archive")
    assert (got["digest"], got["revision"]) == (expected["digest"], expected["revision"])
    assert "warning" not in errors


def test_an_altered_archive_is_announced(archive: Path, tmp_path: Path) -> None:
    """An archive with a changed file is labelled by its content, which is announced before anything is built."""
    with (archive / "handler/app.py").open("a") as file:
        file.write("# changed\n")
    record, errors = build(archive, tmp_path / "altered")
    assert record["revision"].startswith("uncommitted-")
    assert errors.startswith("warning: no commit: ")
