"""Cgroups: nothing of them stays behind."""

import os
import subprocess
from pathlib import Path

import pytest

from local_aws.cgroups import MOUNTS, OF, PREFIX, Cgroup, Hierarchy, sweep


def find_uncounted() -> Path | None:
    """Return a version 2 hierarchy in which cgroups can be made and memory is not counted, if this machine has one."""
    for folder in (MOUNTS / "unified", MOUNTS):
        controllers = folder / "cgroup.controllers"
        if controllers.exists() and "memory" not in controllers.read_text().split() and os.access(folder, os.W_OK):
            return folder
    return None


def test_cgroup_that_cannot_be_limited_is_not_left() -> None:
    """A cgroup whose memory the kernel does not count is removed again."""
    folder = find_uncounted()
    if folder is None:
        pytest.skip("this machine has no writable cgroup version 2 hierarchy without a memory controller")
    with pytest.raises(OSError, match=r"memory\.max"):
        Hierarchy(folder, 2).create(f"{OF}{os.getpid()}-test", 64)
    assert list(folder.glob(f"{PREFIX}{OF}{os.getpid()}-*")) == []


def test_cgroups_of_processes_that_are_gone_are_swept(tmp_path: Path) -> None:
    """Empty cgroups named after a dead process go; a live one's, an instance's and full ones stay."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    names = [f"{OF}{ended.pid}-a", f"{OF}{ended.pid}-full", f"{OF}{os.getpid()}-b", "0123456789ab-c", f"{OF}odd"]
    for name in names:
        (tmp_path / f"{PREFIX}{name}").mkdir()
    (tmp_path / f"{PREFIX}{names[1]}" / "inside").touch()
    sweep(Hierarchy(tmp_path, 2))
    assert {path.name.removeprefix(PREFIX) for path in tmp_path.iterdir()} == set(names[1:])


def test_process_of_another_namespace_is_none_of_ours(tmp_path: Path) -> None:
    """A process that has no number here is read as 0, which would mean our own process group when it is killed."""
    (tmp_path / "cgroup.procs").write_text("0\n12\n")
    assert Cgroup(tmp_path, 2).pids() == [12]
