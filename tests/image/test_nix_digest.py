"""Nix and plain Python make the same image."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def nix_digest(output: Path, *options: str) -> str:
    """The digest of the image that Nix builds."""
    command = [sys.executable, str(ROOT / "nix" / "nix_build.py"), "--output", str(output), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(done.stdout.split()[-1])


def test_the_projects_own_nix_makes_the_same_digest(image: dict[str, Any], tmp_path: Path) -> None:
    """Built in Nix's derivations, one for each layer, the image has the digest of the plain build."""
    assert nix_digest(tmp_path / "result", "--bundled") == image["digest"]


@pytest.mark.skipif(not shutil.which("nix"), reason="this host has no Nix of its own")
def test_the_hosts_nix_makes_the_same_digest(image: dict[str, Any], tmp_path: Path) -> None:
    """The host's Nix agrees with both."""
    assert nix_digest(tmp_path / "result") == image["digest"]
