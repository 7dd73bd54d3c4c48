"""What `make` hands to the commands: the words that a person wrote behind NAME=, and no others."""

import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ODD = """it's "quoted", costs $5; $(HOME) `id` $(shell id) ü #1"""


def words(target: str, *given: str) -> list[str]:
    """The words behind `python -m scripts.<verb>` as the shell would split them."""
    done = subprocess.run(["make", "-n", target, *given], cwd=ROOT, capture_output=True, text=True, check=True)
    return shlex.split(done.stdout.splitlines()[-1])[3:]


@pytest.mark.parametrize(
    ("target", "name", "before"),
    [
        ("invoke", "EVENT", []),
        ("logs", "TEXT", ["--grep"]),
        ("enqueue", "FILE", []),
        ("results", "LIMIT", ["--limit"]),
        ("dlq", "SHOW", ["show"]),
        ("run", "IMAGE", ["--image"]),
        ("dashboard", "HTML", ["--html"]),
    ],
)
def test_a_value_reaches_the_command_as_it_is(target: str, name: str, before: list[str]) -> None:
    """Quotes, dollars, backquotes and semicolons are letters of the value, to make as to the shell."""
    assert words(target, f"{name}={ODD}") == [*before, ODD]


def test_an_event_may_have_lines() -> None:
    """What `EVENT="$(cat event.json)"` gives stays one event."""
    assert words("invoke", 'EVENT={\n  "source": "smoke"\n}') == ['{   "source": "smoke" }']


@pytest.mark.parametrize(
    ("target", "given", "expected"),
    [
        ("run", "VARS=A=1 B=it's", ["--env", "A=1", "--env", "B=it's"]),
        ("dlq", "REDRIVE=1", ["redrive"]),
        ("dlq", "REDRIVE=a b", ["redrive", "a", "b"]),
        ("dlq", "DELETE=1", ["delete", "1"]),
        ("dlq", "DELETE=a;id", ["delete", "a;id"]),
        ("dlq", "SHOW=", ["list"]),
        ("logs", "FOLLOW=0", ["--no-follow"]),
    ],
)
def test_several_words_are_several_values(target: str, given: str, expected: list[str]) -> None:
    """Where a target takes a list each word of it is a value; 1 stands for all only where the help says so."""
    assert words(target, given) == expected
