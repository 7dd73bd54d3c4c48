"""Moving pins: moves are reported, other locks keep their bytes, and a failure changes nothing."""

from pathlib import Path

import pytest

from nix import locking, pins
from tests.integration.nix.world import write_wheel


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two empty locks, and a folder as the index: it has tiny 1.0 and 2.0, and small 1.0."""
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


def test_locking_again_moves_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first run pins the newest version with its hash; the second reports no move and writes nothing."""
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
    """--dry-run prints what would move and keeps the lock."""
    assert locking.main(["--dry-run", "--lock", "build"]) == 0
    assert "tiny" in capsys.readouterr().out
    assert (folder / "build.lock").read_text() == ""


def test_only_the_named_package_moves(folder: Path) -> None:
    """With a named package all others stay pinned even if a newer version exists; --keep moves none."""
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
    """If one of several locks has no solution, none is changed, and uv's message is printed."""
    (folder / "uv.in").write_text("tiny>=3\n")
    assert locking.main(["--lock", "build", "--lock", "uv"]) == 1
    captured = capsys.readouterr().err
    assert "tiny" in captured
    assert "no lock was changed" in captured
    assert "Traceback" not in captured
    assert [(folder / f"{name}.lock").read_text() for name in ("build", "uv")] == ["", ""]
    assert not list(folder.glob("*.part"))


def test_a_package_that_nobody_pins_is_named_with_those_like_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt package is an error that says what it may have been."""
    assert locking.main(["--lock", "build"]) == 0
    assert locking.main(["--lock", "build", "tinny", "zzz"]) == 1
    captured = capsys.readouterr().err
    assert "tinny (similar: tiny)" in captured
    assert "\n  zzz" in captured
