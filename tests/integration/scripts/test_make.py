"""The command lines that make passes to `score-processor`."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ODD = """it's "quoted", costs $5; $(HOME) `id` $(shell id) ü #1"""


def words(target: str, *given: str) -> list[str]:
    """Return the words after `python -m scripts VERB`, split as the shell splits them."""
    done = subprocess.run(["make", "-n", target, *given], cwd=ROOT, capture_output=True, text=True, check=True)
    return shlex.split(done.stdout.splitlines()[-1])[4:]


@pytest.mark.parametrize(
    ("target", "name", "before"),
    [
        ("invoke", "EVENT", []),
        ("logs", "TEXT", ["--grep"]),
        ("enqueue", "FILE", []),
        ("enqueue", "TEXT", ["--text"]),
        ("enqueue", "ID", ["--id"]),
        ("enqueue", "ENCODING", ["--encoding"]),
        ("enqueue", "PATIENCE", ["--patience"]),
        ("enqueue", "SHEET", ["--sheet"]),
        ("enqueue", "HEADER_ROW", ["--header-row"]),
        ("results", "LIMIT", ["--limit"]),
        ("dlq", "SHOW", ["show"]),
        ("run", "IMAGE", ["--image"]),
        ("dashboard", "HTML", ["--html"]),
    ],
)
def test_a_value_reaches_the_command_as_it_is(target: str, name: str, before: list[str]) -> None:
    """Quotes, dollars, backquotes and semicolons in a value are passed unchanged."""
    assert words(target, f"{name}={ODD}") == [*before, ODD]


def test_an_event_may_have_lines() -> None:
    """An event with several lines stays one argument."""
    assert words("invoke", 'EVENT={\n  "source": "smoke"\n}') == ['{   "source": "smoke" }']


@pytest.mark.parametrize(
    ("target", "given", "expected"),
    [
        ("dlq", "REDRIVE=1", ["redrive"]),
        ("dlq", "REDRIVE=a b", ["redrive", "a", "b"]),
        ("dlq", "DELETE=1", ["delete", "1"]),
        ("dlq", "DELETE=poison", ["delete", "--poison"]),
        ("dlq", "DELETE=a;id", ["delete", "a;id"]),
        ("dlq", "SHOW=", ["list"]),
        ("logs", "FOLLOW=0", ["--no-follow"]),
    ],
)
def test_several_words_are_several_values(target: str, given: str, expected: list[str]) -> None:
    """Each word of a list is an argument; 1 means all only where the help says so."""
    assert words(target, given) == expected


def test_variables_of_a_function_reach_it_past_the_command_line(tmp_path: Path) -> None:
    """`make run VARS=…` names no variable on a command line; the command finds them, unchanged, in its environment."""
    command = tmp_path / "command"
    command.write_text('#!/bin/sh\necho "$*"\nprintf "%s" "$SCORE_PROCESSOR_RUN_ENV"\n')
    command.chmod(0o755)
    arguments = [f"RUN={command}", "VARS=A=$1 B=it's"]
    line = ["make", "--no-print-directory", "--old-file=.venv/.environment", "run", *arguments]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "run\nA=$1 B=it's"


@pytest.mark.parametrize(("target", "expected"), [("demo", r"\d+"), ("build", "")])
def test_the_demo_knows_when_make_began(target: str, expected: str) -> None:
    """The demo's command gets the time in seconds at which make began; other targets start no process for it."""
    line = ["make", "-n", "--print-data-base", "--old-file=.venv/.environment", target]
    printed = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^demo: SCORE_PROCESSOR_DEMO_BEGAN := ?{expected}$", printed, re.M)
