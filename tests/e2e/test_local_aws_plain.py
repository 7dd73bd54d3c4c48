"""The plain engine, for machines where the kernel refuses namespaces: what it does, and that it says what it lacks."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_aws import control, instance, processes
from local_aws.instance import Instance
from local_aws.paths import REPOSITORY
from tests.e2e.conftest import Function, made_in, make_client, wait_for
from tests.e2e.test_local_aws_logs import messages


@dataclass(frozen=True)
class Plain:
    """An instance on the plain engine, what its start printed, and a function on it."""

    instance: Instance
    said: str
    function: Function


@pytest.fixture(scope="module")
def plain(layout: Path) -> Iterator[Plain]:
    """A running instance with a function of the test image."""
    name = f"rule-{uuid.uuid4().hex[:8]}"
    try:
        output = local_aws("start", "--name", name)
        running = control.find(name)
        assert running is not None
        yield Plain(running, output, made_in(running, layout))
    finally:
        control.stop(name)
        shutil.rmtree(instance.locate_folder(name), ignore_errors=True)


def local_aws(*words: str) -> str:
    """Return what the command line prints."""
    environment = {**os.environ, "LOCAL_AWS_ENGINE": "plain"}
    line = [sys.executable, "-m", "local_aws", *words]
    return subprocess.run(
        line, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=1200, check=True
    ).stdout


def test_function_runs_as_the_caller_and_is_logged(plain: Plain) -> None:
    """A function of the test image answers twice from one process of this user, and its lines reach its log."""
    first, second = plain.function.invoke({"print": "said plainly"}), plain.function.invoke()
    assert (first.value["uid"], first.value["calls"], second.value["calls"]) == (os.getuid(), 1, 2)
    assert Path("/proc", str(first.value["pid"])).exists()

    def read_log() -> list[str]:
        lines = messages(lambda service: make_client(plain.instance, service), plain.function.name)
        return [line.split()[0] for line in lines]

    wanted = ["init", "START", "said", "END", "REPORT", "START", "END", "REPORT"]
    wait_for(lambda: read_log() == wanted, f"{wanted} in the log")


def test_memory_and_time_are_limited(plain: Plain) -> None:
    """A function beyond its memory or its timeout ends with that error, and the next call is a cold start."""
    assert plain.function.invoke({"allocate": 400}).value["errorType"] == "Runtime.OutOfMemory"
    plain.function.update(Timeout=10)  # the next call has to start anew within it
    assert plain.function.invoke({"sleep": 60}).value["errorType"] == "Sandbox.Timedout"
    assert plain.function.invoke().value["calls"] == 1


def test_start_and_status_report_the_missing_isolation(plain: Plain) -> None:
    """Both start and status report in one line that nothing is isolated and why, and what limits memory."""
    isolation = (
        "no isolation: functions run as this user on this machine's file system, because LOCAL_AWS_ENGINE is plain"
    )
    limits = f"{isolation}; memory limit by watcher, freeze by signal"
    assert f"engine plain: {limits}\n" in plain.said
    assert f"engine     plain: {limits}\n" in local_aws("status", "--name", plain.instance.name)
    promised = plain.instance.guarantees
    assert not any(promised[name] for name in ("read_only_root", "private_tmp", "own_user", "own_pids"))


def test_functions_end_with_localstack_however_it_ends(plain: Plain) -> None:
    """After kill -9 of LocalStack no process of a function is left, although nothing but a pipe ties them."""
    plain.function.invoke()
    family = processes.list_descendants(plain.instance.pid)
    os.kill(plain.instance.pid, signal.SIGKILL)
    wait_for(lambda: not [member for member in family if member.is_alive()], "the function to end")
    assert control.stop(plain.instance.name) is False
