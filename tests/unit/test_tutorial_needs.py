"""A reader who begins with a tutorial, and not with the README, is given what its commands need."""

import re
from pathlib import Path

import pytest

from tests.pages import OFFLINE, TUTORIALS

PAGES = [page for name in OFFLINE if (page := TUTORIALS / f"{name}.md").exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_begins_with_what_its_commands_need(page: Path) -> None:
    """`plexus` is on PATH by the environment, and the folder of its files exists."""
    text = page.read_text()
    commands = [at.start() for at in re.finditer(r"^\$ plexus|^plexus ", text, re.M)]
    if not commands:
        return
    before = text[: commands[0]]
    assert re.search(r"make venv && \. \.venv/bin/activate|pip install \.", before)
    if re.search(r"[ #]build/", text):
        assert "mkdir -p build" in before
