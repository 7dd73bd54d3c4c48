"""Figures of the pages that only the locks can know."""

import re
from pathlib import Path

import pytest

from nix import pins

DOCS = Path(__file__).resolve().parents[3] / "docs"
DEBS, WHEELS = len(pins.deb_lock("image").debs), len(pins.wheel_lock())


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        (r"(\d+) Debian packages", DEBS),
        (r"(\d+) wheels", WHEELS),
        (r"looked up for image: .* of (\d+) Debian", DEBS),
        (r"looked up for image: \d+ of (\d+) Python", WHEELS),
    ],
    ids=["packages", "wheels", "packages looked up", "wheels looked up"],
)
def test_the_image_page_counts_what_the_locks_hold(pattern: str, count: int) -> None:
    """Wherever docs/explanation/image.md counts packages or wheels of the image, there are so many in the locks."""
    output = re.findall(pattern, (DOCS / "explanation" / "image.md").read_text(encoding="utf-8"))
    assert output
    assert set(output) == {str(count)}
