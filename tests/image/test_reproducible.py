"""The same digest, whoever builds, wherever and whenever."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cache import cache_dir

import build

ODD_ENVIRONMENT = {
    "TZ": "Asia/Tokyo",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "4711",
    "PYTHONOPTIMIZE": "2",
    "SOURCE_DATE_EPOCH": "1",
    "PATH": os.environ["PATH"],
}


def other_cache(target: Path) -> Path:
    """A cache that has the inputs and nothing that was made of them."""
    target.mkdir()
    (target / "inputs").symlink_to(cache_dir() / "inputs")
    return target


def test_another_machine_builds_the_same_digest(image: dict[str, Any], tmp_path: Path) -> None:
    """From the same inputs, under another time zone, locale, umask, home, hash seed and folder: one digest."""
    home = tmp_path / "another home"
    home.mkdir()
    environment = {**ODD_ENVIRONMENT, "HOME": str(home), "SCORE_PROCESSOR_CACHE": str(other_cache(tmp_path / "cache"))}
    command = [sys.executable, str(Path(build.__file__)), "--json", "--output", str(tmp_path / "a b" / "image")]
    done = subprocess.run(command, env=environment, cwd="/", umask=0o077, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert [layer["digest"] for layer in again["layers"]] == [layer["digest"] for layer in image["layers"]]
    assert again["digest"] == image["digest"]


def test_building_again_changes_nothing(image: dict[str, Any], layout: Path) -> None:
    """A second build gives the same record and the same files."""
    before = {path: path.read_bytes() for path in layout.rglob("*.json")}
    assert build.build() == image
    assert {path: path.read_bytes() for path in layout.rglob("*.json")} == before


def test_lint_has_nothing_to_say(layout: Path) -> None:
    """The image, read back from the disk to the last byte, keeps every rule of Lambda's."""
    assert build.lint_again(layout).startswith("lint      no problem")
