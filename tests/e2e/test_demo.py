"""`make demo`, end to end."""

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
    """Yield the name of an instance that tests may kill."""
    name = f"test-{os.getpid()}-killed"
    yield name
    control.stop(name)
    shutil.rmtree(instance.locate_folder(name), ignore_errors=True)


def test_everything_that_must_hold_holds(demo: Demo) -> None:
    """All six checks of the demo are ok."""
    assert len(re.findall(r"^  ok   ", demo.said, re.M)) == 6
    assert not re.findall(r"^  fail ", demo.said, re.M)


def test_the_digest_in_the_registry_is_the_one_that_was_built(demo: Demo) -> None:
    """The demo deploys the digest that the build printed."""
    digest = json.loads((ROOT / "build" / "image.json").read_text())["digest"]
    assert f"plexus/score-processor-lambda@{digest}" in demo.said


def test_the_last_line_names_the_report(demo: Demo) -> None:
    """The last line is the path of the report, which has the results."""
    page = Path(demo.said.strip().splitlines()[-1].removeprefix("report: "))
    assert "Mentions Refund" in page.read_text()


def test_an_event_is_answered_after_the_demo(demo: Demo) -> None:
    """The local AWS keeps running, and `invoke` prints Lambda's report."""
    done = demo.run("invoke", '{"source": "smoke"}')
    assert done.returncode == 0, done.stderr
    assert "billed" in done.stdout


def test_the_log_is_there_after_the_demo(demo: Demo) -> None:
    """`logs --no-follow` prints the function's log and exits."""
    done = demo.run("logs", "--no-follow", "--since", "1d")
    assert done.returncode == 0, done.stderr
    assert "committed" in done.stdout


def test_no_text_of_an_item_is_in_the_log(demo: Demo) -> None:
    """The log has every job, and no item's text."""

    def log() -> str:
        output = demo.run("logs", "--no-follow", "--since", "1d").stdout
        return output if output.count("committed") >= 72 else ""

    message = wait_for(log, "the log of every job")
    with (ROOT / "examples" / "items" / "items.csv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert len(texts) == 24
    assert [text for text in texts if text in message] == []


def test_the_demo_works_again_after_a_kill(killed: str) -> None:
    """After kill -9 a command reports that the local AWS does not run; the next demo succeeds without orphans."""
    running = control.start(killed)
    family = processes.list_descendants(running.pid)
    os.kill(running.pid, 9)
    output = run(killed, "invoke")
    assert (output.returncode, "make local" in output.stderr, "Traceback" in output.stderr) == (1, True, False)
    done = run(killed, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^  ok   ", done.stdout, re.M)) == 6
    assert family
    assert not any(process.is_alive() for process in family)
