"""Builds beside each other, and after others were killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cache import cache_dir

import build

SMALL = ("zstandard", "tiktoken", "anthropic", "plexus", "handler")  # layers that are made again in a second or two
# Seconds after the start; the last ones are around the end of an undisturbed build here.
MOMENTS = (0.05, 0.2, 0.4, 0.7, 1.1, 1.6, 2.2, 3.0)


@pytest.fixture
def thin_cache(image: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    """The environment of a cache that lacks some small layers; the rest is this machine's."""
    target = tmp_path / "cache"
    (target / "layers").mkdir(parents=True)
    for name in ("inputs", "roots", "verified"):
        (target / name).symlink_to(cache_dir() / name)
    kept = {layer["digest"] for layer in image["layers"] if layer["name"] not in SMALL}
    for folder in (cache_dir() / "layers").iterdir():
        record = folder / "layer.json"
        if record.exists() and json.loads(record.read_bytes())["digest"] in kept:
            shutil.copytree(folder, target / "layers" / folder.name, copy_function=os.link)
    return {**os.environ, "SCORE_PROCESSOR_CACHE": str(target)}


def start(output: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A build, in a group of processes of its own."""
    command = [sys.executable, build.__file__, "--json", "--output", str(output)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def digest(building: subprocess.Popen[str]) -> str:
    """The digest that a build ends with."""
    told, problems = building.communicate(timeout=120)
    assert building.returncode == 0, problems
    return str(json.loads(told)["digest"])


def test_two_builds_at_once_are_both_right(image: dict[str, Any], thin_cache: dict[str, str], tmp_path: Path) -> None:
    """Two builds that need the same missing layers share them, whether they write to one folder or to two."""
    outputs = [tmp_path / "a" / "image", tmp_path / "b" / "image", tmp_path / "a" / "image"]
    builds = [start(output, thin_cache) for output in outputs]
    assert {digest(one) for one in builds} == {image["digest"]}
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["image", "image.json"]


def test_a_build_after_killed_ones_is_right(image: dict[str, Any], thin_cache: dict[str, str], tmp_path: Path) -> None:
    """However far a build got before SIGKILL, beside it and after it another one makes the same image."""
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
