"""Nix and plain Python make the same image."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def nix_digest(output: Path, *options: str) -> str:
    """Build with Nix, and return the image's digest."""
    command = [sys.executable, "-m", "nix.nix_build", "--output", str(output), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(done.stdout.split()[-1])


def test_the_projects_own_nix_makes_the_same_digest(image: dict[str, Any], tmp_path: Path) -> None:
    """The project's own Nix, with one derivation per layer, builds the digest of the plain build.

    The link of an earlier build with another Nix is replaced.
    """
    (tmp_path / "result").symlink_to("/nix/store/another")
    assert nix_digest(tmp_path / "result", "--bundled") == image["digest"]


@pytest.mark.skipif(not shutil.which("nix"), reason="this host has no Nix of its own")
def test_the_hosts_nix_makes_the_same_digest(image: dict[str, Any], tmp_path: Path) -> None:
    """The host's Nix builds the same digest."""
    assert nix_digest(tmp_path / "result") == image["digest"]
