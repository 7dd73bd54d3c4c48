"""Moving pins: what moves is said, what does not keeps its bytes, and a failure changes nothing."""

import re
from pathlib import Path

import locking
import pins
import pytest
from moves import moves, pins_of, table

from tests.unit.nix.world import write_wheel

SHA = ["1" * 64, "2" * 64]
ROOT = Path(__file__).resolve().parents[3]


def deb(name: str, version: str, size: int, sha256: str, path: str = "pool/a.deb") -> str:
    """A line of a root's lock."""
    return f"{name} {version} {size} {sha256} {path}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Locks of their own, for an index that is a folder: it has tiny 1.0 and 2.0, and small 1.0."""
    wheels, locks = tmp_path / "wheels", tmp_path / "locks"
    wheels.mkdir()
    locks.mkdir()
    for name, version in (("tiny", "1.0"), ("tiny", "2.0"), ("small", "1.0")):
        write_wheel(wheels, name, version)
    monkeypatch.setattr(pins, "LOCKS", locks)
    for name, value in {"UV_FIND_LINKS": str(wheels), "UV_NO_INDEX": "1", "UV_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("build", "uv"):
        (locks / f"{name}.in").write_text("tiny\n")
        (locks / f"{name}.lock").write_text("")
    return locks


def test_the_table_says_old_new_and_bytes() -> None:
    """Moved, added and dropped packages have a row each, sizes in kB; what stays has none."""
    old = deb("gone", "1", 500, SHA[0]) + deb("moved", "1", 1000, SHA[0]) + deb("stays", "1", 1, SHA[0])
    new = deb("moved", "2", 3500, SHA[1]) + deb("new", "1", 100, SHA[0]) + deb("stays", "1", 1, SHA[0])
    rows = [line.split() for line in table(moves("x", old, new)).splitlines()]
    assert rows[1:4] == [
        ["x", "gone", "1", "-", "-0.5"],
        ["x", "moved", "1", "2", "+2.5"],
        ["x", "new", "-", "1", "+0.1"],
    ]
    assert rows[4][:3] == ["3", "pins", "move;"]


@pytest.mark.parametrize(
    ("sha256", "said"), [(SHA[0], "same, under another path"), (SHA[1], "same, other files")], ids=["path", "files"]
)
def test_a_version_that_stays_may_still_move(sha256: str, said: str) -> None:
    """A package of the same version under another path, or of other bytes, is said as such."""
    new = deb("app", "1", 1, sha256, "pool/b.deb")
    assert said in table(moves("x", deb("app", "1", 1, SHA[0]), new))


PINNING = sorted(
    path for path in (ROOT / "nix/locks").glob("*.lock") if path.name != "layers.lock"
)  # that one pins none


@pytest.mark.parametrize("path", PINNING, ids=lambda path: path.name)
def test_every_lock_of_the_project_is_understood(path: Path) -> None:
    """As many pins are read as the lock has, and comparing a lock with itself finds nothing."""
    text = path.read_text()
    pinned = r"[a-z0-9]\S* ?\S*==|\S+ \S+ \d+ [0-9a-f]{64} pool/|\S+ sha256:[0-9a-f]{64} \d+$"
    began = [line for line in text.splitlines() if re.match(pinned, line)]
    assert began
    assert len(pins_of(text)) == len(began)
    assert all(pin.rest for pin in pins_of(text).values())
    assert moves(path.stem, text, text) == []


def test_locking_again_moves_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first lock pins the newest with its hash; the second says that nothing moves and writes nothing."""
    assert locking.main(["--lock", "build"]) == 0
    text = (folder / "build.lock").read_text()
    assert text.startswith("tiny==2.0")
    assert "--hash=sha256:" in text
    before = (folder / "build.lock").stat().st_ino
    capsys.readouterr()
    assert locking.main(["--lock", "build"]) == 0
    assert "nothing moves" in capsys.readouterr().out
    assert (folder / "build.lock").stat().st_ino == before


def test_a_dry_run_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--dry-run prints what would move and leaves the lock."""
    assert locking.main(["--dry-run", "--lock", "build"]) == 0
    assert "tiny" in capsys.readouterr().out
    assert (folder / "build.lock").read_text() == ""


def test_only_the_named_package_moves(folder: Path) -> None:
    """With a package all others stay pinned, also where a newer one is there; --keep moves none."""
    assert locking.main(["--lock", "build"]) == 0
    old = (folder / "build.lock").read_text()
    (folder / "build.in").write_text("tiny<2\nsmall\n")
    assert locking.main(["--lock", "build", "--keep"]) == 0
    (folder / "build.in").write_text("tiny\nsmall\n")
    assert locking.main(["--lock", "build", "--keep"]) == 0
    assert "tiny==1.0" in (folder / "build.lock").read_text()
    assert locking.main(["--lock", "build", "small"]) == 0
    assert "tiny==1.0" in (folder / "build.lock").read_text()
    assert locking.main(["--lock", "build", "tiny"]) == 0
    assert old.strip() in (folder / "build.lock").read_text()


def test_a_lock_that_cannot_be_made_changes_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where one of several locks has no solution, those that have one stay as well, and uv's words are told."""
    (folder / "uv.in").write_text("tiny>=3\n")
    assert locking.main(["--lock", "build", "--lock", "uv"]) == 1
    said = capsys.readouterr().err
    assert "tiny" in said
    assert "no lock was changed" in said
    assert "Traceback" not in said
    assert [(folder / f"{name}.lock").read_text() for name in ("build", "uv")] == ["", ""]
    assert not list(folder.glob("*.part"))


def test_a_package_that_nobody_pins_is_named_with_those_like_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt package is an error that says what it may have been."""
    assert locking.main(["--lock", "build"]) == 0
    assert locking.main(["--lock", "build", "tinny", "zzz"]) == 1
    said = capsys.readouterr().err
    assert "tinny (like it: tiny)" in said
    assert "\n  zzz" in said
