"""Commands that the demo runs."""

import pytest

from scripts.demo import steps


def test_a_failed_command_is_the_only_report(capfd: pytest.CaptureFixture[str]) -> None:
    """The demo ends with the status of a failed command, and adds nothing to its message."""
    with pytest.raises(SystemExit) as caught:
        steps.run("-c", "import sys; sys.exit('build: no space left')")
    assert caught.value.code == 1
    assert capfd.readouterr().err == "build: no space left\n"
