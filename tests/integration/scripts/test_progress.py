"""Progress bars and slow steps, on a real terminal and without one."""

import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = """
from scripts.console import progress
progress.DELAY_S = 0
with progress.{bar}("reading", {total}) as advance:
    advance(3)
"""


def on_a_terminal(bar: str, total: str) -> str:
    """Return what a terminal of 80 columns receives."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(bar=bar, total=total)], cwd=ROOT, env=environment, stderr=theirs
    )
    os.close(theirs)
    output = b""
    try:
        while part := os.read(ours, 65536):
            output += part
    except OSError:  # EIO: nobody holds the other end
        pass
    finally:
        os.close(ours)
    assert process.wait(120) == 0
    return output.decode()


@pytest.mark.parametrize(
    ("bar", "total", "shown"),
    [("show_items", "7", "3/7"), ("show_items", "None", "3/?"), ("show_bytes", "7", "3/7 bytes")],
)
def test_a_terminal_shows_the_count_and_the_total(bar: str, total: str, shown: str) -> None:
    """The count is followed by the total, or by a question mark if the total is unknown."""
    assert shown in on_a_terminal(bar, total)


def test_without_a_terminal_nothing_is_shown() -> None:
    """Output that is not a terminal, such as a CI log, gets no bar."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(bar="show_items", total=7)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def doctor(stderr: int, port: int, *options: str) -> subprocess.Popen[bytes]:
    """Start a diagnosis of the local stage at a port of this machine, with a terminal as its standard error."""
    command = [sys.executable, "-m", "scripts", "doctor", "--endpoint-url", f"http://127.0.0.1:{port}", *options]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "STAGE": "local"}, stdout=subprocess.DEVNULL, stderr=stderr
    )


def test_the_doctor_names_the_check_that_it_waits_for() -> None:
    """While a service takes a request and does not answer, the terminal shows which check waits."""
    ours, theirs = pty.openpty()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = doctor(theirs, silent.getsockname()[1])
        os.close(theirs)
        output = b""
        while b"credentials: waiting for" not in output:
            output += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 130
        os.close(ours)


def test_with_json_no_step_is_shown() -> None:
    """With --json standard error stays empty, on a terminal and for slow checks, too."""
    ours, theirs = pty.openpty()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert doctor(theirs, port, "--json").wait(120) == 3
    os.close(theirs)
    with pytest.raises(OSError, match="Input/output"):
        os.read(ours, 65536)
    os.close(ours)
