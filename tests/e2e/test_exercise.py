"""The exercise for on-call, docs/how-to/exercise.md, followed to the letter on the demo's stage."""

import json
import re
import subprocess

from tests.e2e.conftest import ROOT, Demo, wait_for
from tests.pages import environment

PAGE = (ROOT / "docs" / "how-to" / "exercise.md").read_text(encoding="utf-8")
REASON = "LimitExceeded: the expression took more than 200000 steps"


def shell(demo: Demo, commands: str) -> str:
    """Run commands of the page in a shell; return what they printed."""
    done = subprocess.run(
        ["bash", "-ec", commands],
        cwd=ROOT,
        env={**environment(), "LOCAL_AWS_NAME": demo.name, "STAGE": "local"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def results(demo: Demo) -> list[str]:
    """Return the values of the exercise's results."""
    done = demo.run("results", "--scorecard", "poison-exercise", "--json")
    return [result["value"] for result in json.loads(done.stdout)]


def test_the_exercise_ends_as_its_page_says(demo: Demo) -> None:
    """The poison job becomes a dead letter with the page's reason, and the corrected scorecard scores it."""
    poison, diagnosis, correction = re.findall(r"^```\n(.*?)^```$", PAGE, re.M | re.S)
    assert REASON in PAGE
    shell(demo, poison)
    wait_for(lambda: REASON in demo.run("dlq", "list").stdout, "the dead letter")
    output = shell(demo, diagnosis)
    assert re.search(r"^warn dead letters ", output, re.M), output
    assert output.count(REASON) == 3, output  # of the doctor, the list and the log
    correct, listing = correction.split("make results")
    shell(demo, correct)
    wait_for(lambda: len(results(demo)) == 2, "both results")
    assert results(demo) == ["Yes", "Yes"]
    assert REASON not in shell(demo, f"make results{listing}")
