"""The folder of cached scorecards: it is used again, and never if another user may have written it."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

import plexus
from handler.__main__ import create_private_cache
from handler.scorecard_cache import ScorecardCache
from plexus.scorecard import Scorecard
from tests.memory.world import CARD


def cache(folder: Path) -> ScorecardCache:
    """Return a new environment's cache in the folder."""
    return ScorecardCache(folder, lambda text, name: plexus.load(text, name=name))


def never() -> str:
    """Return a read that must not happen."""
    raise AssertionError("read again")


def test_a_new_environment_reads_the_folder(tmp_path: Path) -> None:
    """A version is read once for all environments that share a folder, and its file is readable by its owner only."""
    assert cache(tmp_path / "versions").get("version-1", lambda: CARD).name == "Reviews"
    assert cache(tmp_path / "versions").get("version-1", never).name == "Reviews"
    (file,) = (tmp_path / "versions").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_32_scorecards_used_last_stay_in_memory(tmp_path: Path) -> None:
    """The next one replaces the one that was used the longest ago; a replaced one is loaded from its file again."""
    loaded: list[str] = []

    def load(text: str, name: str) -> Scorecard:
        loaded.append(name)
        return plexus.load(text, name=name)

    versions = ScorecardCache(tmp_path / "versions", load)
    for number in (*range(32), 0, 32):
        versions.get(f"version-{number}", lambda: CARD)
    assert len(loaded) == 33
    for number in (0, 2, 31, 32):
        versions.get(f"version-{number}", never)
    assert len(loaded) == 33
    versions.get("version-1", never)
    assert loaded[33:] == ["version-1.yaml"]


def link(path: Path) -> None:
    """Replace the file by a symbolic link to a copy of it."""
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


OTHERS: dict[str, Callable[[Path], None]] = {
    "writable by the group": lambda path: path.chmod(0o620),
    "writable by everyone": lambda path: path.chmod(0o602),
    "a symbolic link": link,
}


@pytest.mark.parametrize("how", OTHERS)
def test_a_file_that_others_may_have_written_is_not_used(tmp_path: Path, how: str) -> None:
    """A file at the predictable name that another user could have put there is replaced by what the table has."""
    path = tmp_path / f"{hashlib.sha256(b'version-1').hexdigest()}.yaml"
    path.write_text(CARD.replace("Reviews", "Planted"), encoding="utf-8")
    OTHERS[how](path)
    assert cache(tmp_path).get("version-1", lambda: CARD).name == "Reviews"
    assert cache(tmp_path).get("version-1", never).name == "Reviews"


def test_a_file_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that belongs to another user is not used, whatever its permissions are."""
    cache(tmp_path).get("version-1", lambda: CARD.replace("Reviews", "Planted"))
    ours = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: ours + 1)
    assert cache(tmp_path).get("version-1", lambda: CARD).name == "Reviews"


def test_on_a_host_the_cache_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m handler` caches in the user's cache folder, closed to others, and not in the host's /tmp."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    folder = create_private_cache()
    assert folder.is_relative_to(tmp_path / "own")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_a_cache_folder_there_is_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the user's cache folder cannot be created, a new folder with an unpredictable name is used."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first, second = create_private_cache(), create_private_cache()
    assert first != second
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
