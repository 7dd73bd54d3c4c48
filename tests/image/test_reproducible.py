"""Every machine, user and time gets the same digest."""

from pathlib import Path
from typing import Any

import pytest

from nix import build, reproducible


def test_other_machines_users_and_nix_build_the_same_digest(image: dict[str, Any]) -> None:
    """Another time zone, locale, home, file order, file times, uid, no network, and Nix give one digest."""
    lines: list[str] = []
    assert reproducible.check(lines.append) == image["digest"]
    assert all(image["digest"] in line or "skip" in line for line in lines)
    assert len(lines) == 4


def test_a_difference_is_named_by_layer_file_and_byte(image: dict[str, Any]) -> None:
    """One changed byte in a source file is reported with layer, file, offset and both values."""

    def tamper(source: Path) -> None:
        path = source / "handler" / "clock.py"
        path.write_bytes(path.read_bytes().replace(b"Time", b"Tide", 1))  # in its docstring

    with pytest.raises(reproducible.NotReproducible) as caught:
        reproducible.check(lambda _: None, with_nix=False, tamper=tamper, fresh=False)
    message = str(caught.value)
    assert "handler: var/task/handler/clock.py: content: expected " in message
    assert "6d 65 3a" in message
    assert "64 65 3a" in message


def test_building_again_changes_nothing(image: dict[str, Any], layout: Path) -> None:
    """A second build gives the same record and the same files."""
    before = {path: path.read_bytes() for path in layout.rglob("*.json")}
    assert build.build() == image
    assert {path: path.read_bytes() for path in layout.rglob("*.json")} == before


def test_the_image_passes_the_linter(layout: Path) -> None:
    """The image, read from disk to its last byte, breaks no rule."""
    assert build.lint_again(layout).startswith("lint: passed (")
