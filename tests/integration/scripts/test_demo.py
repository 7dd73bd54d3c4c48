"""Commands that the demo runs, and Ctrl-C in them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.demo import steps

TEXT = "import time; print('begun', flush=True); time.sleep(600)"
COMMANDS = {
    "nix": f"from nix.command import command\n@command('a command')\ndef main(words):\n    exec({TEXT!r})\n",
    "plexus": f"""
import click
from plexus.commands import wrapper
@click.command()
def group():
    exec({TEXT!r})
def main(words):
    return wrapper.run(group, words, "a command")
""",
    "scripts": f"""
import click
from scripts.command.verb import Verb
@click.command(cls=Verb)
def main():
    exec({TEXT!r})
""",
}
"""Three ways to make a command that runs a text, as the making of a dataclass does, for a long time."""
END = """
import signal, sys, time
if sys.argv[1:]:  # stands for an import that takes until Ctrl-C
    print("begun", flush=True)
    while signal.SIGINT not in signal.sigpending():
        time.sleep(0.02)
sys.exit(main([]))
"""
STARTER = """
from scripts.demo import steps
try:
    steps.run("-m", "a_command", "imports")
except KeyboardInterrupt:
    print("ended")
"""


def interrupt(folder: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these words, and interrupt it and all that it started once the command has begun."""
    (folder / "a_command.py").write_text(COMMANDS[name] + END)
    process = subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def test_a_failed_command_is_the_only_report(capfd: pytest.CaptureFixture[str]) -> None:
    """The demo ends with the status of a failed command, and adds nothing to its message."""
    with pytest.raises(SystemExit) as caught:
        steps.run("-c", "import sys; sys.exit('build: no space left')")
    assert caught.value.code == 1
    assert capfd.readouterr().err == "build: no space left\n"


@pytest.mark.parametrize("name", ["nix", "plexus"])
def test_ctrl_c_while_a_command_is_imported_is_one_line(tmp_path: Path, name: str) -> None:
    """The command ends by its own handler, without a traceback, and then the demo is interrupted."""
    done = interrupt(tmp_path, name, "-c", STARTER)
    assert (done.stdout, done.returncode) == ("ended\n", 0)
    assert "interrupted" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_within_a_text_that_is_run_gives_the_exit_code(tmp_path: Path, name: str) -> None:
    """The process exits with 130 instead of ending by the signal."""
    done = interrupt(tmp_path, name, "-m", "a_command")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (130, 1), done.stderr
