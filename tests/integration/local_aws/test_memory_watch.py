"""The memory limit without cgroups: what forked processes share counts once."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from local_aws import processes
from local_aws.memory_watch import INTERVAL_S, Watcher

LIMIT_MB = 150
FAMILY = """
import os, signal, sys
shared = bytearray(os.urandom(1 << 20) * 80)
for _ in range(2):
    if os.fork() == 0:
        signal.pause()
print("forked", flush=True)
sys.stdin.readline()
own = bytearray(os.urandom(1 << 20) * 120)
signal.pause()
"""


@pytest.fixture
def family() -> Iterator[subprocess.Popen[str]]:
    """A shell with a process of 80 MB and two forks of it; it adds 120 MB of its own once it reads a line."""
    command = ["/bin/sh", "-c", '"$0" -c "$1"; exit 0', sys.executable, FAMILY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        assert shell.stdout.readline() == "forked\n"
        yield shell
        for member in processes.list_descendants(shell.pid):
            member.signal(9)


def test_memory_that_processes_share_counts_once(family: subprocess.Popen[str]) -> None:
    """Three processes that share 80 MB fit into 150 MB, though each has more than 80; with 120 MB more they do not."""
    watcher = Watcher(family.pid, LIMIT_MB)
    assert sum(map(processes.read_resident_kib, processes.walk_children(family.pid))) > LIMIT_MB << 10
    time.sleep(10 * INTERVAL_S)
    assert not watcher.fired
    assert family.stdin is not None
    family.stdin.write("grow\n")
    family.stdin.flush()
    family.wait(120)
    assert watcher.fired
    assert list(processes.walk_children(family.pid)) == []


def test_a_process_without_parts_counts_as_a_whole() -> None:
    """The parts of a process's memory are at most its resident size; a process that does not exist has none."""
    assert 0 < processes.read_proportional_kib(os.getpid()) <= processes.read_resident_kib(os.getpid())
    assert processes.read_proportional_kib(1 << 30) == 0
