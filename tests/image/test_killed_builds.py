"""Concurrent builds, and builds after killed ones."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nix.cache.folder import create_cache_dir
from nix.oci.layout import link
from nix.revision import REPOSITORY

SMALL = ("zstandard", "tiktoken", "anthropic", "plexus", "handler")  # layers that are made again in a second or two
# Seconds after the start; the last ones are around the end of an undisturbed build here.
MOMENTS = (0.05, 0.2, 0.4, 0.7, 1.1, 1.6, 2.2, 3.0)


@pytest.fixture
def thin_cache(image: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    """The environment of a cache without some small layers; the rest is this machine's."""
    target = tmp_path / "cache"
    (target / "layers").mkdir(parents=True)
    for name in ("inputs", "roots", "verified"):
        (target / name).symlink_to(create_cache_dir() / name)
    kept = {layer["digest"] for layer in image["layers"] if layer["name"] not in SMALL}
    for folder in (create_cache_dir() / "layers").iterdir():
        record = folder / "layer.json"
        if record.exists() and json.loads(record.read_bytes())["digest"] in kept:
            (target / "layers" / folder.name).mkdir()
            for file in folder.iterdir():
                link(file, target / "layers" / folder.name / file.name)
    return {**os.environ, "SCORE_PROCESSOR_CACHE": str(target)}


def start(output: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a build in a process group of its own."""
    command = [sys.executable, "-m", "nix.build", "--json", "--output", str(output)]
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def digest(building: subprocess.Popen[str]) -> str:
    """Wait for a build, and return its digest."""
    output, problems = building.communicate(timeout=600)
    assert building.returncode == 0, problems
    return str(json.loads(output)["digest"])


def test_concurrent_builds_agree(image: dict[str, Any], thin_cache: dict[str, str], tmp_path: Path) -> None:
    """Two builds that need the same missing layers both succeed, with one output folder or two."""
    outputs = [tmp_path / "a" / "image", tmp_path / "b" / "image", tmp_path / "a" / "image"]
    builds = [start(output, thin_cache) for output in outputs]
    assert {digest(one) for one in builds} == {image["digest"]}
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["image", "image.json"]


def test_a_build_after_killed_ones_agrees(image: dict[str, Any], thin_cache: dict[str, str], tmp_path: Path) -> None:
    """Beside and after a build that was killed at any point, another one makes the same image."""
    output = tmp_path / "out" / "image"
    for moment in MOMENTS:
        killed = start(output, thin_cache)
        time.sleep(moment)
        killed.send_signal(signal.SIGKILL)  # the build alone: its assembler's processes live on for a moment
        killed.communicate()
        if output.exists():
            assert json.loads((output / "index.json").read_bytes())["manifests"][0]["digest"] == image["digest"]
    assert digest(start(output, thin_cache)) == image["digest"]
    assert sorted(path.name for path in output.parent.iterdir()) == ["image", "image.json"]
    layers = Path(thin_cache["SCORE_PROCESSOR_CACHE"]) / "layers"
    assert {(folder / "layer.json").exists() for folder in layers.iterdir() if ".part-" not in folder.name} == {True}
