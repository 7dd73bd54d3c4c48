"""A cache on a file system that is mounted read-only or without programs, and two caches for one checkout."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nix.build import NOT_VERIFIABLE
from nix.cache.folder import create_cache_dir

PRIVATE = ["unshare", "--user", "--map-root-user", "--mount"]
MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,"$1" "$0" && shift && exec "$@"'


def mounts() -> bool:
    """Return whether this user can mount in a namespace of its own."""
    try:
        return subprocess.run([*PRIVATE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


needs_mounts = pytest.mark.skipif(not mounts(), reason="this user cannot mount in a namespace (unshare)")


def build(source: Path, output: Path, cache: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Build with a cache that is mounted with these options."""
    command = [sys.executable, "-m", "nix.build", "--json", "--output", str(output)]
    mounted = [*PRIVATE, "sh", "-c", MOUNT, str(cache), ",".join(options), *command] if options else command
    environment = {**os.environ, "PYTHONPATH": str(source), "SCORE_PROCESSOR_CACHE": str(cache)}
    return subprocess.run(mounted, cwd=source, env=environment, capture_output=True, text=True, check=False)


def digest(done: subprocess.CompletedProcess[str]) -> str:
    """Return the digest of a build that succeeded."""
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["digest"])


@needs_mounts
def test_a_complete_read_only_cache_is_used(image: dict[str, Any], clone: Path, tmp_path: Path) -> None:
    """A cache that cannot be written is read without a warning; layers of edited code are made beside the output."""
    expected = digest(build(clone, tmp_path / "first/image", create_cache_dir()))
    done = build(clone, tmp_path / "second/image", create_cache_dir(), "ro")
    assert (digest(done), done.stderr) == (expected, "")
    with (clone / "handler/app.py").open("a") as file:
        file.write(f"# {os.urandom(8).hex()}\n")  # in no cache yet
    edited = build(clone, tmp_path / "third/image", create_cache_dir(), "ro")
    assert edited.stderr == f"{NOT_VERIFIABLE}\nlayer 1/1: handler\n"
    assert digest(edited) == digest(build(clone, tmp_path / "fourth/image", create_cache_dir()))
    assert sorted(path.name for path in (tmp_path / "third").iterdir()) == ["image", "image.json"]


@needs_mounts
def test_an_incomplete_read_only_cache_asks_for_another(clone: Path, tmp_path: Path) -> None:
    """One message names the missing input, its place and the remedy."""
    (tmp_path / "cache").mkdir()
    done = build(clone, tmp_path / "out/image", tmp_path / "cache", "ro")
    assert done.returncode == 1
    assert done.stderr.startswith(f"build: cache {tmp_path}/cache: read-only, and ")
    assert "next: export SCORE_PROCESSOR_CACHE=FOLDER, one that you can write to" in done.stderr


@needs_mounts
def test_a_cache_without_programs_asks_for_another(image: dict[str, Any], clone: Path, tmp_path: Path) -> None:
    """The image's own Python cannot run from a cache that is mounted noexec: the message names mount and remedy."""
    done = build(clone, tmp_path / "out/image", create_cache_dir(), "noexec")
    assert done.returncode == 1
    assert done.stderr == (
        f"build: cache {create_cache_dir()}: mounted noexec, expected a file system that programs can run from\n"
        "next: export SCORE_PROCESSOR_CACHE=FOLDER on such a file system\n"
    )
    assert digest(build(clone, tmp_path / "out/image", create_cache_dir(), "rw"))


def test_builds_with_two_caches_do_not_disturb_each_other(image: dict[str, Any], clone: Path, tmp_path: Path) -> None:
    """A host and its container build one checkout at once, each with its own cache: one output, one digest."""
    caches = [create_cache_dir(), tmp_path / "other"]
    caches[1].mkdir()
    for kind in ("inputs", "roots", "layers"):
        (caches[1] / kind).symlink_to(create_cache_dir() / kind)
    command = [sys.executable, "-m", "nix.build", "--json", "--output", str(tmp_path / "out/image")]
    builds = [
        subprocess.Popen(
            command,
            cwd=clone,
            env={**os.environ, "PYTHONPATH": str(clone), "SCORE_PROCESSOR_CACHE": str(cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for cache in caches * 3
    ]
    ended = [(*one.communicate(timeout=600), one.returncode) for one in builds]
    assert [status for *_, status in ended] == [0] * 6, [errors for _, errors, _ in ended]
    assert len({json.loads(output)["digest"] for output, *_ in ended}) == 1
