"""docs/reference/scorecards.md: its examples work. Those that train start a process."""

import re
from pathlib import Path

import pytest

from plexus.commands.test import format_line, run
from plexus.lint import lint_file

ROOT = Path(__file__).resolve().parents[3]
BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/reference/scorecards.md").read_text(), re.S)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.findall(r"- name: (.+)", block)[-1])
def test_an_example_passes_its_own_tests(block: str, tmp_path: Path) -> None:
    """Every example is a complete scorecard without lint findings, and its tests pass."""
    card = tmp_path / "docs" / "card.yaml"
    card.parent.mkdir()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    card.write_text(block)
    assert lint_file(card) == []
    results = list(run(card, tmp_path / "store"))
    assert [format_line(result) for result in results if not result.passed] == []
