"""The progress of a download on terminals of every width."""

import pytest

from nix.clients.progress import describe, fit


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 200])
def test_the_bar_fits_the_terminal(width: int) -> None:
    """The line is shorter than the terminal is wide, and shows a bar if there is room for one."""
    for done in (0, 67_000_000, 134_000_000):
        for seconds in (0.0, 10.0, 100_000.0):
            text = describe(done, 134_000_000, seconds)
            line = fit(done, 134_000_000, text, width)
            assert len(line) < max(width, 1) or not line
            assert line.startswith("[") == (width > len(text) + 8)
            assert text.startswith(line) or line.endswith(f" {text}")
