"""The same digest, whoever builds, wherever and whenever."""

from pathlib import Path
from typing import Any

import pytest
import reproducible

import build


def test_other_machines_users_and_nix_build_the_same_digest(image: dict[str, Any]) -> None:
    """Under another time zone, locale, home, order and times of files, uid, offline, and with Nix: one digest."""
    said: list[str] = []
    assert reproducible.check(said.append) == image["digest"]
    assert all(image["digest"] in line or "not tried" in line for line in said)
    assert len(said) == 4


def test_a_difference_is_named_by_layer_file_and_byte(image: dict[str, Any]) -> None:
    """One changed byte of a source file ends the comparison with the layer, the file, the byte and both sides."""

    def tamper(source: Path) -> None:
        path = source / "handler" / "backoff.py"
        path.write_bytes(path.read_bytes().replace(b"def", b"#ef", 1))

    with pytest.raises(reproducible.NotReproducible) as caught:
        reproducible.check(lambda _: None, with_nix=False, tamper=tamper, fresh=False)
    said = str(caught.value)
    assert "handler: var/task/handler/backoff.py: content: expected " in said
    assert "64 65 66" in said or "65 66 20" in said


def test_building_again_changes_nothing(image: dict[str, Any], layout: Path) -> None:
    """A second build gives the same record and the same files."""
    before = {path: path.read_bytes() for path in layout.rglob("*.json")}
    assert build.build() == image
    assert {path: path.read_bytes() for path in layout.rglob("*.json")} == before


def test_lint_has_nothing_to_say(layout: Path) -> None:
    """The image, read back from the disk to the last byte, keeps every rule of Lambda's."""
    assert build.lint_again(layout).startswith("lint      no problem")
