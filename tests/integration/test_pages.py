"""The pages of documentation whose commands need no local AWS, followed to the letter."""

import re
from pathlib import Path

import pytest

from tests import pages

DECISIONS = pages.ROOT / "docs" / "explanation" / "decisions"
QUICKSTARTS = sorted(path.stem for path in pages.TUTORIALS.glob("quickstart-*.md"))


@pytest.mark.parametrize("name", [name for name in pages.OFFLINE if name != "tutorial"])
def test_every_command_prints_what_the_page_shows(name: str, tmp_path: Path) -> None:
    """Files are saved, programs and commands run in the page's order, and each prints the lines below it."""
    folder = pages.prepare_folder(tmp_path / "copy", name)
    steps = pages.steps(pages.path_of(name).read_text(encoding="utf-8"))
    for step in steps:
        printed = pages.perform(step, folder)
        assert step.kind == "file" or pages.same(step.text, printed), f"{step.name}\n{printed}"
    assert any(step.kind != "file" for step in steps)


def test_a_quickstart_is_short() -> None:
    """Each of the four quickstarts asks for fewer than 20 lines of commands and files."""
    assert len(QUICKSTARTS) == 4
    for name in QUICKSTARTS:
        page = (pages.TUTORIALS / f"{name}.md").read_text(encoding="utf-8")
        typed = "".join(
            body for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S) if kind != "text"
        )
        outputs = sum(len(step.text.splitlines()) for step in pages.steps(page) if step.kind == "command")
        assert len(typed.splitlines()) - outputs < 20, name


def test_the_index_lists_every_decision() -> None:
    """Each decision page is linked from the index once."""
    index = (DECISIONS / "index.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\((\d{4}-[^)]+)\)", index)) == sorted(path.name for path in DECISIONS.glob("0*.md"))
