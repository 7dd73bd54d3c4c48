"""Comparing two texts of a lock."""

import re
from pathlib import Path

import pytest

from nix.resolution.lock_diff import format_moves, list_moves, parse_pins

SHA = ["1" * 64, "2" * 64]
ROOT = Path(__file__).resolve().parents[3]


def deb(name: str, version: str, size: int, sha256: str, path: str = "pool/a.deb") -> str:
    """Return a line of a root's lock."""
    return f"{name} {version} {size} {sha256} {path}\n"


def test_the_table_has_old_new_and_bytes() -> None:
    """Moved, added and dropped packages have a row each, with sizes in kB; the others have none."""
    old = deb("gone", "1", 500, SHA[0]) + deb("moved", "1", 1000, SHA[0]) + deb("stays", "1", 1, SHA[0])
    new = deb("moved", "2", 3500, SHA[1]) + deb("new", "1", 100, SHA[0]) + deb("stays", "1", 1, SHA[0])
    rows = [line.split() for line in format_moves(list_moves("x", old, new)).splitlines()]
    assert rows[1:4] == [
        ["x", "gone", "1", "-", "-0.5"],
        ["x", "moved", "1", "2", "+2.5"],
        ["x", "new", "-", "1", "+0.1"],
    ]
    assert rows[4][:3] == ["3", "pins", "move;"]


@pytest.mark.parametrize(
    ("sha256", "note"), [(SHA[0], "same, under another path"), (SHA[1], "same, other files")], ids=["path", "files"]
)
def test_a_version_that_stays_may_still_move(sha256: str, note: str) -> None:
    """The same version under another path, or with other bytes, is a move of its own kind."""
    new = deb("app", "1", 1, sha256, "pool/b.deb")
    assert note in format_moves(list_moves("x", deb("app", "1", 1, SHA[0]), new))


PINNING = sorted(
    path for path in (ROOT / "nix/locks").glob("*.lock") if path.name != "layers.lock"
)  # layers.lock has layers only


@pytest.mark.parametrize("path", PINNING, ids=lambda path: path.name)
def test_every_lock_of_the_project_is_parsed(path: Path) -> None:
    """Every pin of a lock is parsed, and comparing a lock with itself finds no move."""
    text = path.read_text()
    pinned = r"[a-z0-9]\S* ?\S*==|\S+ \S+ \d+ [0-9a-f]{64} pool/|\S+ sha256:[0-9a-f]{64} \d+$"
    began = [line for line in text.splitlines() if re.match(pinned, line)]
    assert began
    assert len(parse_pins(text)) == len(began)
    assert all(pin.rest for pin in parse_pins(text).values())
    assert list_moves(path.stem, text, text) == []
