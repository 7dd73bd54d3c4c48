"""Untrusted text in the output of verbs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.aws.invocation import Invocation
from scripts.results import escape_csv_cell
from tests.golden import commands

ROOT = Path(__file__).resolve().parents[3]

COMMAND = "\x1b]0;title\x07\x1b[31mred\x1b[2J\x9b1m"
PROGRAM = """
from scripts.command.verb import verb
from scripts.console.errors import OperationFailed
from scripts.console.tables import create_grid

def render(value, shell):
    shell.console.print(value["text"], markup=False, style="dim")
    shell.print(value["text"], dim=True)
    shell.console.print(create_grid(("a", "b"), [(value["text"], value["text"])]))

@verb(render=render)
def main(shell):
    text = {text!r}
    shell.say(text)
    if {fails!r}:
        raise OperationFailed(text, text)
    return {{"text": text, "bytes": b"\\x00\\xff"}}

main()
"""


def run(text: str, *words: str, fails: bool = False, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    """Run a verb that prints a text in every way that verbs do."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(text=text, fails=fails), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("fails", [False, True], ids=["a result", "an error"])
@pytest.mark.parametrize("words", [(), ("--json",)], ids=["words", "JSON"])
def test_a_text_never_commands_the_terminal(words: tuple[str, ...], fails: bool) -> None:
    """Control characters of a text are replaced; the rest of it is printed."""
    done = run(COMMAND, *words, fails=fails)
    assert done.returncode == int(fails), done.stderr
    for output in (done.stderr,) if fails else (done.stdout, done.stderr):
        assert "31mred" in output
        assert [c for c in output if not c.isprintable() and c != "\n"] == []


@pytest.mark.parametrize("fails", [False, True], ids=["a result", "an error"])
def test_the_lines_of_a_trace_are_lines(fails: bool) -> None:
    """Carriage returns, which Lambda's runtime uses in tracebacks, become newlines."""
    done = run("Traceback:\r  File a\r\n  File b", fails=fails)
    assert "Traceback:\n  File a\n  File b" in (done.stderr if fails else done.stdout)


def test_words_between_colons_stay_words() -> None:
    """Text like `:x:` is not replaced by an emoji."""
    assert "root:x:0:0 a:id:b 12:100:00" in run("root:x:0:0 a:id:b 12:100:00").stdout


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("text", ["\ud800", COMMAND, "größer → 😀"], ids=["lone surrogate", "control", "other letters"])
def test_json_holds_every_text_and_bytes(text: str, encoding: str) -> None:
    """JSON output parses to the same text in any terminal encoding; bytes are Base64."""
    done = run(text, "--json", encoding=encoding)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"text": text, "bytes": "AP8="})


def test_a_terminal_that_lacks_a_letter_gets_the_rest() -> None:
    """A character that the terminal's encoding lacks is escaped, and the verb succeeds."""
    done = run("1 → 2 \ud800", encoding="ascii")
    assert (done.returncode, "1 \\u2192 2" in done.stdout) == (0, True)


def test_a_file_that_cannot_be_written_is_told_in_one_line() -> None:
    """A file that cannot be written is an error with its name and the system's reason."""
    done = commands.run("dashboard", "--html", "/proc/nowhere/page.html", "--endpoint-url", "http://127.0.0.1:9")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith("error: /proc/nowhere: No such file or directory\n")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("- not at all", "'- not at all"),
        ("\t=1", "'\t=1"),
        ("-1.5", "-1.5"),
        ("+3", "+3"),
        ("a=1", "a=1"),
        (-0.5, -0.5),
        (None, None),
        ("red\x1b[2J", "red\N{REPLACEMENT CHARACTER}[2J"),
    ],
)
def test_no_spreadsheet_takes_a_text_for_a_formula(value: object, cell: object) -> None:
    """A CSV cell that starts like a formula gets an apostrophe; numbers and other texts are unchanged."""
    assert escape_csv_cell(value) == cell


def test_messages_that_come_back_are_a_failure() -> None:
    """An invocation with batch item failures or a status from 400 on exits with 1, others with 0."""
    answers = [{"batchItemFailures": [{"itemIdentifier": "m"}]}, {"batchItemFailures": []}, {"statusCode": 500}, "text"]
    assert [Invocation(one, None, "", None, "1").exit_code for one in answers] == [1, 0, 1, 0]


def test_a_failure_with_json_is_an_object_with_one_error() -> None:
    """With --json a failure prints its kind, problem, remedy and exit code on standard output, words on the other."""
    done = run("it broke", "--json", fails=True)
    expected = {"kind": "OperationFailed", "problem": "it broke", "remedy": "it broke", "exit_code": 1}
    assert json.loads(done.stdout) == {"error": expected}
    assert done.stderr.endswith("error: it broke\n  next: it broke\n")


def test_misuse_with_json_is_an_object_with_one_error() -> None:
    """With --json wrong usage prints an object, too, and exits with 2."""
    done = run("text", "--json", "--nope")
    assert (done.returncode, json.loads(done.stdout)["error"]["kind"]) == (2, "Misused")
