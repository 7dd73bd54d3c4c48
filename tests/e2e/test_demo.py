"""The main job, as `make demo` does it, on an instance of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import control, processes

ROOT = Path(__file__).resolve().parents[2]
NAME = "e2e-demo"


def run(*words: str, timeout_s: float = 400) -> subprocess.CompletedProcess[str]:
    """Run one of the project's commands on the instance of this file."""
    environment = {**os.environ, "LOCAL_AWS_NAME": NAME, "STAGE": "local"}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_s
    )


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """What the demo printed."""
    done = run("scripts.demo")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield done.stdout
    finally:
        run("local_aws", "stop")


def test_everything_that_must_hold_holds(demo: str) -> None:
    """One result and one response for each job, the poison in the dead-letter queue, nothing left over."""
    assert len(re.findall(r"^  holds ", demo, re.M)) == 6
    assert "BROKEN" not in demo


def test_the_digest_in_the_registry_is_the_one_that_was_built(demo: str) -> None:
    """The demo deploys the image that the build printed, by its digest."""
    digest = json.loads((ROOT / "build" / "image.json").read_text())["digest"]
    assert f"plexus/score-processor-lambda@{digest}" in demo


def test_the_last_line_names_the_report(demo: str) -> None:
    """The path of a page that is there and holds the results is printed last."""
    page = Path(demo.strip().splitlines()[-1].removeprefix("report: "))
    assert "Mentions Refund" in page.read_text()


def test_an_event_is_answered_after_the_demo(demo: str) -> None:
    """The local AWS goes on, and `make invoke` answers with what Lambda reports."""
    done = run("scripts.invoke", '{"source": "smoke"}')
    assert done.returncode == 0, done.stderr
    assert "billed" in done.stdout


def test_the_log_is_there_after_the_demo(demo: str) -> None:
    """`make logs FOLLOW=0` prints what the function logged, and ends."""
    done = run("scripts.logs", "--no-follow")
    assert done.returncode == 0, done.stderr
    assert "committed" in done.stdout


def test_no_text_of_an_item_is_in_the_log(demo: str) -> None:
    """What people wrote never reaches a log."""
    assert "The bowl arrived in pieces" not in run("scripts.logs", "--no-follow").stdout


def test_a_dead_local_aws_is_said(demo: str) -> None:
    """After kill -9 of LocalStack a command says that it is not running, and what to do."""
    instance = json.loads((ROOT / ".local-aws" / NAME / "instance.json").read_text())
    os.kill(instance["pid"], 9)
    done = run("scripts.invoke")
    assert done.returncode == 1
    assert "make local" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_works_again_after_a_kill(demo: str) -> None:
    """A demo on what a killed LocalStack left behind starts anew, holds everything, and leaves no orphan."""
    running = control.start(NAME)
    family = processes.descendants(running.pid)
    os.kill(running.pid, 9)
    done = run("scripts.demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^  holds ", done.stdout, re.M)) == 6
    assert family
    assert not any(process.alive() for process in family)
