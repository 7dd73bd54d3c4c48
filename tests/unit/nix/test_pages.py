"""Figures of the pages that only the locks can know."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from nix import pins
from nix.inventory.locked_packages import list_locked_packages
from nix.vulnerabilities import EXCEPTIONS, as_text, assess, read_document, read_exceptions

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        (r"(\d+) Debian packages", len(pins.read_deb_lock("image").debs)),
        (r"(\d+) wheels", len(pins.read_wheel_lock())),
    ],
    ids=["packages", "wheels"],
)
def test_the_image_page_counts_what_the_locks_hold(pattern: str, count: int) -> None:
    """Wherever docs/explanation/image.md counts packages or wheels of the image, there are so many in the locks."""
    output = re.findall(pattern, (DOCS / "explanation" / "image.md").read_text(encoding="utf-8"))
    assert output
    assert set(output) == {str(count)}


def test_the_packages_page_shows_the_present_report() -> None:
    """docs/reference/packages.md shows the report of the committed locks and advisories, without its dated notes."""
    result = assess(read_document(), read_exceptions(EXCEPTIONS), list_locked_packages(), date(2026, 11, 1))
    page = (DOCS / "reference" / "packages.md").read_text(encoding="utf-8")
    assert f"$ make vulnerabilities\n{as_text(replace(result, notes=()))}\n```" in page
