"""Ctrl-C at any moment of the main job leaves nothing behind, and the next run works."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import control, instance
from tests.e2e.conftest import wait_for

ROOT = Path(__file__).resolve().parents[2]
NAME = "e2e-interrupted"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return the folder of this file's instance."""
    yield instance.locate_folder(NAME)
    control.stop(NAME)
    shutil.rmtree(instance.locate_folder(NAME), ignore_errors=True)


def interrupt_demo(step: str) -> subprocess.Popen[str]:
    """A demo that is interrupted, as a terminal does it, to all its processes, when it says that `step` begins."""
    line = [sys.executable, "-um", "scripts", "demo"]
    environment = {**os.environ, "LOCAL_AWS_NAME": NAME, "STAGE": "local"}
    pipe = subprocess.PIPE
    demo = subprocess.Popen(
        line, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )
    assert demo.stdout
    output = next((text for text in demo.stdout if f". {step}" in text), None)
    assert output, demo.communicate()[1]
    os.killpg(demo.pid, signal.SIGINT)
    return demo


@pytest.mark.parametrize("step", ["Build the image", "Start the local AWS", "Push the image", "Train the scorecard"])
def test_an_interrupted_demo_leaves_nothing(step: str, folder: Path) -> None:
    """Ctrl-C ends the demo with 130 and without a traceback; no process, no port and no half-written file stays."""
    demo = interrupt_demo(step)
    _, errors = demo.communicate(timeout=600)
    assert (demo.returncode, "Traceback" in errors) == (130, False), errors
    assert control.find_leftovers(NAME) == {}
    assert control.find(NAME) is None
    wait_for(lambda: group_of(demo.pid) == [], "the demo's processes to end")
    assert [path.name for path in (ROOT / "build").glob(".*")] == []


def test_a_demo_leaves_the_local_aws_that_it_found(folder: Path) -> None:
    """Ctrl-C in a demo does not end a local AWS that ran before it."""
    before = control.start(NAME)
    interrupt_demo("Create the resources").communicate(timeout=600)
    after = control.find(NAME)
    assert after is not None
    assert after.pid == before.pid


def group_of(leader: int) -> list[int]:
    """Return the live processes of a process group."""
    results = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # ended while we looked
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            results.append(int(entry.parent.name))
    return results
