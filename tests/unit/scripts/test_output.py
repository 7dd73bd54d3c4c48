"""What commands print: texts from outside are shown as they are, whatever they hold and wherever they go."""

import json
import os
import subprocess
import sys

import pytest

from scripts.invoke import Answer
from scripts.results import _cell
from tests.golden import commands

COMMAND = "\x1b]0;title\x07\x1b[31mred\x1b[2J\x9b1m"
PROGRAM = """
from scripts._command import verb
from scripts._errors import OperationFailed
from scripts._grid import grid

def render(value, shell):
    shell.console.print(value["text"], markup=False, style="dim")
    shell.print(value["text"], dim=True)
    shell.console.print(grid(("a", "b"), [(value["text"], value["text"])]))

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
    """Run a command that tells a text in every way that commands have."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(text=text, fails=fails), *words],
        cwd=commands.SCRIPTS.parent,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("fails", [False, True], ids=["a result", "an error"])
@pytest.mark.parametrize("words", [(), ("--json",)], ids=["words", "JSON"])
def test_a_text_never_commands_the_terminal(words: tuple[str, ...], fails: bool) -> None:
    """No control character of a log line, a reason or a result reaches the terminal, and its other words do."""
    done = run(COMMAND, *words, fails=fails)
    assert done.returncode == int(fails), done.stderr
    for told in (done.stderr,) if fails else (done.stdout, done.stderr):
        assert "31mred" in told
        assert [c for c in told if not c.isprintable() and c != "\n"] == []


@pytest.mark.parametrize("fails", [False, True], ids=["a result", "an error"])
def test_the_lines_of_a_trace_are_lines(fails: bool) -> None:
    """What Lambda's runtime writes as one line with carriage returns is not written over itself."""
    done = run("Traceback:\r  File a\r\n  File b", fails=fails)
    assert "Traceback:\n  File a\n  File b" in (done.stderr if fails else done.stdout)


def test_words_between_colons_stay_words() -> None:
    """A line of a log that holds `:x:` or `:id:` is printed as it is, without pictures."""
    assert "root:x:0:0 a:id:b 12:100:00" in run("root:x:0:0 a:id:b 12:100:00").stdout


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("text", ["\ud800", COMMAND, "größer → 😀"], ids=["lone surrogate", "control", "other letters"])
def test_json_holds_every_text_and_bytes(text: str, encoding: str) -> None:
    """What was printed reads back as the very text, in any encoding of the terminal; bytes are Base64."""
    done = run(text, "--json", encoding=encoding)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"text": text, "bytes": "AP8="})


def test_a_terminal_that_lacks_a_letter_gets_the_rest() -> None:
    """An arrow that its encoding does not have is escaped, and the command does not fail."""
    done = run("1 → 2 \ud800", encoding="ascii")
    assert (done.returncode, "1 \\u2192 2" in done.stdout) == (0, True)


def test_a_file_that_cannot_be_written_is_told_in_one_line() -> None:
    """The error names the file and the system's reason, and there is no traceback."""
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
    """A text that begins like one gets an apostrophe; numbers and other texts stay."""
    assert _cell(value) == cell


def test_messages_that_come_back_are_a_failure() -> None:
    """An invocation that names messages of its batch ends with 1, as one whose status says so; others with 0."""
    answers = [{"batchItemFailures": [{"itemIdentifier": "m"}]}, {"batchItemFailures": []}, {"statusCode": 500}, "text"]
    assert [Answer(one, None, "", None, "1").exit_code for one in answers] == [1, 0, 1, 0]
