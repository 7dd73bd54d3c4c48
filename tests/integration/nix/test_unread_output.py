"""Commands whose standard output loses its reader, as with `| head`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMAND = "import sys; from nix.command import command; command('sample')(lambda _: {body})()"
WORK = COMMAND.format(body="print('x' * 100_000) or print('more', flush=True) or sys.stderr.write('done')")


def unread(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose standard output has no reader."""
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        return subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writing)


def test_the_command_completes_without_a_reader() -> None:
    """Output is discarded, and the rest of the command still runs."""
    done = unread("-c", WORK)
    assert (done.returncode, done.stderr) == (0, "done")


def test_output_with_a_reader_is_unchanged() -> None:
    """All lines arrive, in order."""
    code = COMMAND.format(body="print('é', flush=True) or print('last')")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert done.stdout.decode() == "é\nlast\n"


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "nix.cache_command", "show"),
        ("-m", "nix.vulnerabilities"),
        ("-m", "infrastructure.cost"),
        ("-m", "plexus", "schema"),
    ],
    ids=" ".join,
)
def test_a_command_that_prints_lists_ends_quietly(command: tuple[str, ...]) -> None:
    """The exit status is that of a read output, and standard error is empty."""
    done = unread(*command)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    read = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (read.returncode, "")
