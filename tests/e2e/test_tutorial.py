"""docs/tutorials/tutorial.md, followed to the letter."""

import csv
import io
import shutil
from pathlib import Path

import pytest

from local_aws import control
from scripts.aws import event_source
from scripts.aws.clients import create_clients
from scripts.aws.stage import load_stage
from tests import pages
from tests.e2e.conftest import ROOT, Demo


def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    """Files are saved and commands run in the page's order; each prints the lines that stand under it."""
    folder = pages.prepare_folder(tmp_path / "copy")
    done = 0
    for step in pages.steps(pages.PAGE.read_text(encoding="utf-8")):
        if not step.on_stage:
            printed = pages.perform(step, folder)
            assert pages.same(step.text, printed), f"{step.name}\n{printed}"
            done += 1
    assert done >= 15


@pytest.mark.parametrize(
    ("output", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a  \nb\n", "a\nb\n", True),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("time per text   3 ms\n", "time per text   17 µs\n", True),
        ("a\nb\n", "a\n", False),
        ("a\n…\nd\n", "a\nb\nc\n", False),
        ("accuracy 0.9\n", "accuracy 0.8\n", False),
    ],
)
def test_a_screen_is_the_same_but_for_times_and_what_is_left_out(output: str, printed: str, same: bool) -> None:
    """Only durations, moments, names of runs and lines that … stands for may differ."""
    assert pages.same(output, printed) is same


def results(demo: Demo) -> set[tuple[str, str, str]]:
    """Item, value and confidence of every result of the page's trained score."""
    whole = demo.run("results", "--scorecard", "mood", "--score", "Pleased", "--csv").stdout
    return {(row["item"], row["value"], row["confidence"]) for row in csv.DictReader(io.StringIO(whole))}


def test_the_tutorial_ends_with_a_deployed_scorecard(demo: Demo, tmp_path: Path) -> None:
    """The page's make commands send the jobs that it mentions, and its results match the table."""
    steps = pages.steps(pages.PAGE.read_text(encoding="utf-8"))
    folder = pages.prepare_folder(tmp_path)
    for step in steps:
        if step.kind == "file" or step.name.split()[0] in ("cp", "printf") or "plexus train" in step.name:
            pages.perform(step, folder)
    send, show = (step for step in steps if step.on_stage)
    words = [word.replace("build/", f"{folder}/build/") for word in pages.python_of(send.name)]
    models = ROOT / "build" / "artifacts"
    shutil.copytree(folder / "build" / "artifacts", models, dirs_exist_ok=True)
    aws = create_clients(load_stage("local"), control.start(demo.name).endpoint)
    event_source.switch_event_source(aws, enabled=True)
    done = demo.run(*words)
    assert pages.same(send.text, done.stderr + done.stdout)
    event_source.wait("the results", lambda: len(results(demo)) == 24)
    assert demo.run(*pages.python_of(show.name)).returncode == 0
    output = {tuple(line.split()[1:5]) for line in show.text.splitlines() if line.startswith("20")}
    assert {(item, value, confidence) for item, _, value, confidence in output} <= results(demo)
