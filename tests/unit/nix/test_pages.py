"""Figures of the pages that only the locks can know."""

import re
from pathlib import Path

import pins
import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
DEBS, WHEELS = len(pins.deb_lock("image").debs), len(pins.wheel_lock())


@pytest.mark.parametrize(
    ("pattern", "count"),
    [(r"(\d+) Debian packages", DEBS), (r"(\d+) wheels", WHEELS)],
    ids=["packages", "wheels"],
)
def test_the_image_page_counts_what_the_locks_hold(pattern: str, count: int) -> None:
    """Wherever docs/image.md counts packages or wheels of the image, there are so many in the locks."""
    told = re.findall(pattern, (DOCS / "image.md").read_text(encoding="utf-8"))
    assert len(told) >= 2
    assert set(told) == {str(count)}
