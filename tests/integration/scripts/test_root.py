"""`python -m scripts` as a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.command.root import PROGRAMS
from tests.golden import commands

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("verb", ["status", "dashboard"])
def test_a_process_prints_the_same_help(verb: str) -> None:
    """`python -m scripts`, started as a process, prints the same help: for a module and for a package."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "scripts", verb, "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    # click wraps at another width in a process than in its test runner
    assert done.stdout.split() == commands.run(verb, "--help").output.split()


@pytest.mark.parametrize("verb", PROGRAMS)
def test_a_program_calls_itself_by_its_verb(verb: str) -> None:
    """A verb that another module parses shows usage as `score-processor VERB`, in its help and for wrong options."""
    for words, status in (("--help", 0), ("--no-such-option", 2)):
        command = [sys.executable, "-m", "scripts", verb, words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert (done.stdout or done.stderr).startswith(f"usage: score-processor {verb} ")
