"""The bar that counts, on a real terminal and without one."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = "from scripts._counting import counting\nwith counting('reading', {total}) as done:\n    done(3)\n"


def on_a_terminal(total: str) -> str:
    """What is shown on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(total=total)], cwd=ROOT, env=environment, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # how Linux tells that nobody holds the other end
        pass
    finally:
        os.close(ours)
    assert process.wait(30) == 0
    return shown.decode()


@pytest.mark.parametrize(("total", "told"), [("7", "3/7"), ("None", "3/?")])
def test_a_terminal_is_told_how_many_of_how_many(total: str, told: str) -> None:
    """The count stands beside the total, or beside a question mark where nobody knows it."""
    assert told in on_a_terminal(total)


def test_without_a_terminal_nothing_is_shown() -> None:
    """A log of CI holds no bar."""
    done = subprocess.run([sys.executable, "-c", CODE.format(total=7)], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
