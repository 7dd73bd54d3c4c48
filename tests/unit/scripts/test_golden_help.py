"""The help texts are what `tests/golden/help` keeps: whoever changes one sees it in the difference."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden import commands
from tests.golden.transcripts import Golden

ROOT = Path(__file__).resolve().parents[3]


def told(*words: str) -> str:
    """The transcript of a command's `--help`."""
    done = commands.run(*words, "--help")
    assert done.exit_code == 0, done.output
    return f"{commands.shown(*words, '--help')}\n{done.output}"


@pytest.mark.parametrize("script", commands.scripts())
def test_the_help_is_what_is_kept(script: str, golden: Golden) -> None:
    """A script's help, and that of each of its sub-commands, is the kept text to the letter."""
    below = [command.words for command in commands.commands(script) if len(command.words) > 1]
    golden.check(f"help/{script}", "\n".join(told(*words) for words in ((script,), *below)))


def test_every_kept_help_is_a_scripts(golden: Golden) -> None:
    """No help text is left of a script that is gone."""
    golden.check_names("help", commands.scripts())


@pytest.mark.parametrize("script", commands.scripts())
def test_no_help_names_a_path_of_this_machine(script: str) -> None:
    """Defaults are told as people find them in the repository."""
    assert not [command.name for command in commands.commands(script) if str(ROOT) in told(*command.words)]


@pytest.mark.parametrize("script", ["status", "dashboard"])
def test_a_shell_prints_the_same(script: str) -> None:
    """A module and a package, started in a process of their own, print what these tests see."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    command = [sys.executable, "-m", f"scripts.{script}", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert f"{commands.shown(script, '--help')}\n{done.stdout}" == told(script)
