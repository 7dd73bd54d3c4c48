"""Execution environments without LocalStack: what they leave behind when they die, and when they are stopped."""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_aws import engine_choice
from local_aws.environment import Environment, Reply
from local_aws.exceptions import StartFailed
from local_aws.image import from_layout
from local_aws.run_image import create_lambda_environment, create_request_id
from local_aws.sandbox import FunctionSettings
from tests.e2e.conftest import wait_for
from tests.layouts import Layer, write_layout

Make = Callable[..., "Running"]


class Running:
    """An environment of the test image, and its log."""

    def __init__(self, layout: Path, variables: dict[str, str]) -> None:
        self.lines: list[str] = []
        self.slow = "a line that nothing prints"
        settings = FunctionSettings(timeout_s=150, memory_mb=256, environment=variables)
        settings = FunctionSettings(timeout_s=150, memory_mb=256, environment=create_lambda_environment(settings))
        self.environment = Environment(from_layout(layout), settings, engine_choice.choose(), self.add)

    def add(self, line: str) -> None:
        """Append a line to the log; lines that begin with `slow` take their time."""
        if line.startswith(self.slow):
            time.sleep(0.5)
        self.lines.append(line)

    def invoke(self, **event: object) -> Reply:
        """Invoke it."""
        return self.environment.invoke(create_request_id(), json.dumps(event).encode())

    def kill(self) -> None:
        """`kill -9` of all its processes."""
        for pid in self.environment.pids():
            with contextlib.suppress(ProcessLookupError):  # it ended with one that was killed before
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def make(layout: Path) -> Iterator[Make]:
    """Make environments, stopped after the test; arguments are the function's variables."""
    created: list[Running] = []

    def start(**variables: str) -> Running:
        created.append(Running(layout, variables))
        return created[-1]

    yield start
    for running in created:
        running.environment.stop()


@dataclass(frozen=True)
class Held:
    """What this process has: files, and threads (but for the one that starts all containers)."""

    files: int
    threads: int

    def given_back(self) -> bool:
        """Return whether no more is there now."""
        now = look()
        return now.files <= self.files and now.threads <= self.threads


def look() -> Held:
    """Return what there is now."""
    threads = [thread for thread in threading.enumerate() if not thread.name.startswith("container-starter")]
    return Held(len(list(Path("/proc/self/fd").iterdir())), len(threads))


def test_container_that_dies_idle_is_replaced(make: Make) -> None:
    """An environment that died between invocations releases its resources; the next call is a cold start."""
    running = make()
    running.environment.start()
    running.invoke()
    before = look()
    running.kill()
    wait_for(lambda: look().files < before.files, "the dead container's files to be closed")
    reply = running.invoke()
    assert (reply.error, json.loads(reply.payload)["calls"]) == (False, 1)
    assert "Init Duration" in str(reply.report)
    wait_for(before.given_back, "as many files and threads as the first container had")


def test_what_init_prints_stands_before_the_first_start(make: Make) -> None:
    """The lines of the init phase are in the log before START, however slowly the log takes them."""
    running = make()
    running.slow = "init of"
    running.environment.start()
    running.invoke()
    assert [line.split()[0] for line in running.lines[:2]] == ["init", "START"]


def test_stop_during_an_invocation_ends_it_as_a_kill_does(make: Make) -> None:
    """An invocation whose environment is stopped is answered with an exit error, and nothing is left."""
    before = look()
    running = make()
    running.environment.start()
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(running.invoke, print="began", sleep=140)
        wait_for(lambda: "began" in running.lines, "the invocation to begin")
        running.environment.stop()
        reply = pending.result()
    assert json.loads(reply.payload)["errorType"] == "Runtime.ExitError"
    assert running.environment.pids() == []
    wait_for(before.given_back, "files and threads to be given back")


def test_stop_during_init_is_for_good(make: Make) -> None:
    """An environment that is stopped while it starts does not start again, and nothing is left."""
    before = look()
    running = make(INIT_SLEEP="140")
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(running.environment.start)
        wait_for(running.environment.pids, "the container")
        running.environment.stop()
        pending.result()
    with pytest.raises(StartFailed, match="stopped before it started"):
        running.invoke()
    assert running.environment.pids() == []
    wait_for(before.given_back, "files and threads to be given back")


def test_container_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    """An image that names no program is an error, and neither a port nor a pipe stays open."""
    write_layout(tmp_path / "layout", [Layer(files={"a": b"1"})], {})
    environment = Environment(from_layout(tmp_path / "layout"), FunctionSettings(), engine_choice.choose(), print)
    before = look()
    for _ in range(3):
        with pytest.raises(StartFailed, match="has neither an entry point nor a command"):
            environment.start()
    wait_for(before.given_back, "files and threads to be given back")
