"""What is printed when nobody reads it any longer, as after `| head`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WORK = "import sys, unread; unread.allow(); print('x' * 100_000); print('more', flush=True); sys.stderr.write('done')"


def unread(*command: str) -> subprocess.CompletedProcess[str]:
    """The command with a standard output whose reader is gone."""
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "nix")}
    try:
        return subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writing)


def test_the_work_goes_on_when_nobody_reads() -> None:
    """What is printed goes nowhere, and what comes after it is done."""
    done = unread("-c", WORK)
    assert (done.returncode, done.stderr) == (0, "done")


def test_what_is_read_is_as_it_was() -> None:
    """Line by line, in order, to the last."""
    code = "import unread; unread.allow(); print('é', flush=True); print('last')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "nix"), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert done.stdout.decode() == "é\nlast\n"


@pytest.mark.parametrize(
    "command",
    [
        ("nix/caching.py", "show"),
        ("nix/vulnerabilities.py",),
        ("-m", "infrastructure.cost"),
        ("-m", "plexus", "schema"),
    ],
    ids=" ".join,
)
def test_a_command_that_prints_lists_ends_quietly(command: tuple[str, ...]) -> None:
    """Exit 0 and no word on standard error."""
    done = unread(*command)
    assert (done.returncode, done.stderr) == (0, "")
