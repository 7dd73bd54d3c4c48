"""Shell completion; for bash, click asks the installed bash for its version."""

import pytest

from tests.golden import commands


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for(shell: str) -> None:
    """The script asks `score-processor` itself for the words that fit."""
    done = commands.run("completion", shell)
    assert done.exit_code == 0
    assert f"_SCORE_PROCESSOR_COMPLETE={shell}_complete" in done.output
