"""The sources from which make lock reads a Debian release."""

import pytest

from nix.debian.lists import list_sources
from nix.pins import InputProblem
from tests.integration.nix.world import World

DEBIAN, OTHER = b"Origin: Debian\nLabel: Debian\n", b"Origin: Docker\n"


def publish(world: World, path: str, content: bytes) -> None:
    """Serve the index of a suite."""
    world.served[f"{path}/InRelease"] = b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" + content


def test_only_debians_own_suites_are_sources(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only repositories with a suite of Debian's are used, the release before its updates."""
    monkeypatch.delenv("DEBIAN_MIRROR")
    base = world.address
    lines = [f"deb {base}/docker bookworm stable\n", f"deb {base}/debian trixie main\n"]
    (world.folder / "apt/sources/a.list").write_text("".join(lines))
    publish(world, "/docker/dists/bookworm", OTHER)
    publish(world, "/debian/dists/bookworm", DEBIAN)
    publish(world, "/debian/dists/bookworm-updates", DEBIAN)
    publish(world, "/debian-security/dists/bookworm-security", DEBIAN)
    assert [line.split()[-3:-1] for line in list_sources("bookworm")] == [
        [f"{base}/debian/", "bookworm"],
        [f"{base}/debian-security/", "bookworm-security"],
        [f"{base}/debian/", "bookworm-updates"],
    ]


def test_a_release_that_no_mirror_has_is_reported(world: World) -> None:
    """The error names the mirrors that were asked, and the variable that names others."""
    with pytest.raises(InputProblem, match=rf"asked {world.address}/\nnext: export DEBIAN_MIRROR"):
        list_sources("bookworm")
