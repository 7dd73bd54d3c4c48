"""The locks of roots: which timestamps of the snapshot archive they carry."""

from datetime import UTC, datetime

import pytest

from nix import pins
from nix.debian.closure import Candidate
from nix.resolution import lock_texts
from tests.integration.nix.world import PACKAGES, SNAPSHOT, World


@pytest.fixture
def release(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Candidate]:
    """The release that the world's root is made of; its packages can be replaced."""
    (world.folder / "locks/image-debs.in").write_text("release sid\n" + "\n".join(PACKAGES) + "\n")
    results = {deb.name: Candidate(deb, deb.name, (), ()) for deb in pins.read_deb_lock("image").debs}
    monkeypatch.setattr(lock_texts, "release_candidates", lambda _: results)
    monkeypatch.setattr(lock_texts, "hash_root", lambda _: "1" * 64)
    return results


def publish_version(release: dict[str, Candidate], name: str) -> None:
    """Publish another version of a package."""
    old = release[name].deb
    deb = pins.Deb(name, "2.0", old.size, "2" * 64, old.pool_path.replace("1.0", "2.0"))
    release[name] = Candidate(deb, name, (), ())


def snapshots(text: str) -> list[str]:
    """Return the timestamps in a lock's text."""
    return [line.split()[1] for line in text.splitlines() if line.startswith("snapshot ")]


def test_a_lock_in_which_nothing_moves_keeps_its_timestamp(release: dict[str, Candidate]) -> None:
    """The old timestamp still is a time at which the snapshot archive has all packages."""
    text = lock_texts.resolve_debs("image", None)
    assert snapshots(text) == [SNAPSHOT]
    assert lock_texts.resolve_debs("image", None) == text


def test_a_moved_lock_has_the_time_of_the_move(release: dict[str, Candidate]) -> None:
    """All packages are the release's own now: one timestamp, not in the past."""
    publish_version(release, "beta")
    began = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    (timestamp,) = snapshots(lock_texts.resolve_debs("image", None))
    assert timestamp > began


def test_a_lock_moved_in_part_keeps_the_earlier_timestamps(release: dict[str, Candidate]) -> None:
    """Packages that stayed may be superseded by now: the snapshot of their time has them."""
    publish_version(release, "alpha")
    publish_version(release, "beta")
    text = lock_texts.resolve_debs("image", frozenset({"beta"}))
    assert "alpha 1.0 " in text
    assert "beta 2.0 " in text
    assert snapshots(text)[1:] == [SNAPSHOT]
