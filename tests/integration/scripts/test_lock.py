"""Which processes hold a lock in vain."""

import os
import signal
import subprocess
import sys

import pytest

from scripts.aws.lock import Holder, find_stopped, is_dead, process_id


def test_a_process_is_dead_once_it_has_ended() -> None:
    """A running process of this host is alive, an ended one is dead, reaped or not."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = process_id(process.pid)
    assert identity
    assert not is_dead(identity)
    process.kill()
    process.wait()
    assert is_dead(identity)


def test_a_stopped_process_is_found_until_it_continues() -> None:
    """A stopped holder of this host is named by its number; one that runs, has ended or is elsewhere is not."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = process_id(process.pid)
    assert find_stopped(identity) is None
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    assert find_stopped(identity) == process.pid
    assert find_stopped(f"elsewhere {identity.partition(' ')[2]}") is None
    process.send_signal(signal.SIGCONT)
    os.waitpid(process.pid, os.WCONTINUED)
    assert find_stopped(identity) is None
    process.kill()
    process.wait()
    assert find_stopped(identity) is None


@pytest.mark.parametrize("place", [1, 4], ids=["boot", "start time"])
def test_a_number_that_was_given_again_is_another_process(place: int) -> None:
    """After a restart of the host, or of another process under this number, the holder is dead."""
    words = process_id(os.getpid()).split()
    words[place] = "0"
    assert is_dead(" ".join(words))


@pytest.mark.parametrize("place", [0, 2], ids=["host", "container"])
def test_processes_elsewhere_are_never_dead(place: int) -> None:
    """Nothing is known about processes of another host or another container."""
    words = process_id(os.getpid()).split()
    words[place], words[3] = "elsewhere", "0"
    assert not is_dead(" ".join(words))
    assert not is_dead("")


def test_times_of_a_wrong_clock_are_not_printed() -> None:
    """A holder whose start lies in the future holds the lock for 0 s, and expires by its end."""
    holder = Holder("token", "somebody", "", since=2000.0, until=2900.0)
    assert holder.compute_age(1000.0) == "0.0 s"
    assert (holder.is_over(2000.0), holder.is_over(2901.0)) == (False, True)
