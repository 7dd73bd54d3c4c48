"""The main job, as `make demo` does it."""

import csv
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import control, instance, processes
from tests.e2e.conftest import ROOT, Demo, run, wait_for


@pytest.fixture
def killed() -> Iterator[str]:
    """The name of an instance that tests may kill."""
    name = f"test-{os.getpid()}-killed"
    yield name
    control.stop(name)
    shutil.rmtree(instance.folder(name), ignore_errors=True)


def test_everything_that_must_hold_holds(demo: Demo) -> None:
    """One result and one response for each job, the poison in the dead-letter queue, nothing left over."""
    assert len(re.findall(r"^  holds ", demo.said, re.M)) == 6
    assert "BROKEN" not in demo.said


def test_the_digest_in_the_registry_is_the_one_that_was_built(demo: Demo) -> None:
    """The demo deploys the image that the build printed, by its digest."""
    digest = json.loads((ROOT / "build" / "image.json").read_text())["digest"]
    assert f"plexus/score-processor-lambda@{digest}" in demo.said


def test_the_last_line_names_the_report(demo: Demo) -> None:
    """The path of a page that is there and holds the results is printed last."""
    page = Path(demo.said.strip().splitlines()[-1].removeprefix("report: "))
    assert "Mentions Refund" in page.read_text()


def test_an_event_is_answered_after_the_demo(demo: Demo) -> None:
    """The local AWS goes on, and `make invoke` answers with what Lambda reports."""
    done = demo.run("scripts.invoke", '{"source": "smoke"}')
    assert done.returncode == 0, done.stderr
    assert "billed" in done.stdout


def test_the_log_is_there_after_the_demo(demo: Demo) -> None:
    """`make logs FOLLOW=0` prints what the function logged, and ends."""
    done = demo.run("scripts.logs", "--no-follow")
    assert done.returncode == 0, done.stderr
    assert "committed" in done.stdout


def test_no_text_of_an_item_is_in_the_log(demo: Demo) -> None:
    """What people wrote never reaches a log, which tells of every job all the same."""

    def log() -> str:
        said = demo.run("scripts.logs", "--no-follow", "--since", "1d").stdout
        return said if said.count("committed") >= 72 else ""

    said = wait_for(log, "the log of every job")
    with (ROOT / "examples" / "items" / "items.csv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert len(texts) == 24
    assert [text for text in texts if text in said] == []


def test_the_demo_works_again_after_a_kill(killed: str) -> None:
    """After kill -9 a command says that LocalStack is gone; the next demo holds everything and leaves no orphan."""
    running = control.start(killed)
    family = processes.descendants(running.pid)
    os.kill(running.pid, 9)
    told = run(killed, "scripts.invoke")
    assert (told.returncode, "make local" in told.stderr, "Traceback" in told.stderr) == (1, True, False)
    done = run(killed, "scripts.demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^  holds ", done.stdout, re.M)) == 6
    assert family
    assert not any(process.alive() for process in family)
