"""Nix and plain Python make the same image."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nix.bundled_nix import install_nix
from nix.cache.folder import create_cache_dir

ROOT = Path(__file__).resolve().parents[2]
# As most hosts have it: flakes are not enabled. Builders run as this user, without a sandbox, as in a container.
HOST_SETTINGS = "build-users-group =\nsandbox = false\nsubstituters =\n"


def build(output: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build with Nix."""
    command = [sys.executable, "-m", "nix.nix_build", "--output", str(output), *options]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def host(tmp_path: Path) -> dict[str, str]:
    """The variables of a host with a Nix on its PATH: Debian's, with a store, settings and a cache of its own."""
    folders = {name: tmp_path / "host" / name for name in ("store", "state", "log", "conf", "home", "bin", "cache")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    (folders["conf"] / "nix.conf").write_text(HOST_SETTINGS)
    tools = install_nix().folder
    own = "".join(f"NIX_{name.upper()}_DIR='{folders[name]}' " for name in ("store", "state", "log", "conf"))
    for tool in ("nix", "nix-store"):
        program = folders["bin"] / tool
        rest = f"NIX_REMOTE=local NIX_BIN_DIR='{tools}' HOME='{folders['home']}' exec '{tools}/{tool}'"
        program.write_text(f'#!/bin/sh\n{own}{rest} "$@"\n')
        program.chmod(0o755)
    for kind in ("inputs", "roots"):
        (folders["cache"] / kind).symlink_to(create_cache_dir() / kind)
    path = f"{folders['bin']}:{os.environ['PATH']}"
    return {"PATH": path, "SCORE_PROCESSOR_CACHE": str(folders["cache"])}


def test_the_projects_own_nix_makes_the_same_digest(image: dict[str, Any], tmp_path: Path) -> None:
    """The project's own Nix, with one derivation per layer, builds the digest of the plain build.

    The link of an earlier build with another Nix is replaced.
    """
    (tmp_path / "result").symlink_to("/nix/store/another")
    assert build(tmp_path / "result", "--bundled").stdout.split()[-1] == image["digest"]


def test_a_hosts_nix_makes_the_same_digest(image: dict[str, Any], host: dict[str, str], tmp_path: Path) -> None:
    """A Nix on PATH is taken before the project's own, and builds the same digest from an empty store."""
    done = build(tmp_path / "result", **host)
    assert done.stderr.startswith(f"nix: the host's, {tmp_path}/host/bin/nix")
    assert (tmp_path / "result").readlink().parent == tmp_path / "host/store"
    assert done.stdout.split()[-1] == image["digest"]


@pytest.mark.skipif(not shutil.which("nix"), reason="this host has no Nix of its own (apt-get install nix-bin)")
def test_this_hosts_nix_makes_the_same_digest(image: dict[str, Any], tmp_path: Path) -> None:
    """The Nix that is installed here builds the same digest."""
    assert build(tmp_path / "result").stdout.split()[-1] == image["digest"]
