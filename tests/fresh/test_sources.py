"""Machines on which nothing is configured that has Debian's packages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fresh import mirrors
from tests.fresh.conftest import Play
from tests.fresh.machine import Machine
from tests.fresh.machines import DEBIAN12, FEDORA, fedora, ubuntu
from tests.fresh.servers import serve

PROBE = 100_000  # bytes: the package index is asked for its smallest wheel
# Of dpkg, on Debian and all that descends from it: it names Debian's domain, and so a mirror. The roots have none.
VENDOR = Path("/etc/dpkg/origins/debian")
FETCH = ("nix/python", "-m", "nix.inputs", "fetch", "image", "local-aws")


@pytest.fixture
def archive() -> Iterator[str]:
    """The address of an archive that has none of our packages."""
    with serve() as address:
        yield address


@pytest.fixture(params=["ubuntu", "fedora"])
def stranger(request: pytest.FixtureRequest, play: Play, archive: str) -> Machine:
    """An Ubuntu whose archive has none of our packages, or a Fedora without apt."""
    return play(DEBIAN12, ubuntu(archive)) if request.param == "ubuntu" else play(FEDORA, fedora())


def test_nothing_is_downloaded_where_not_all_can_be(stranger: Machine) -> None:
    """The demo ends before any download, with the distribution's name and the command that makes it work there."""
    ended = stranger.run("make", "demo")
    assert ended.status != 0
    assert "nothing was downloaded" in ended.output, ended.output
    assert "next: export DEBIAN_MIRROR='MAIN SECURITY'" in ended.output
    assert ("this host: Ubuntu 24.04.3 LTS" in ended.output) or ("this host: Fedora Linux 43" in ended.output)
    assert count_downloaded(stranger) < PROBE


def count_downloaded(machine: Machine) -> int:
    """Return the bytes in the cache of inputs and in the environment of the checkout."""
    folders = (machine.home / ".cache/score-processor/inputs", machine.checkout / ".venv")
    return sum(path.lstat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def test_debian_mirror_gives_an_ubuntu_all_inputs(play: Play, archive: str) -> None:
    """DEBIAN_MIRROR is asked first; the archive that apt is configured with no longer matters."""
    machine = play(DEBIAN12, ubuntu(archive)).with_variables(DEBIAN_MIRROR=" ".join(mirrors.list_mirrors()))
    ended = machine.run(*FETCH)
    assert ended.status == 0, ended.output


@pytest.mark.skipif(not VENDOR.exists(), reason=f"{VENDOR} is not on this host: Debian's dpkg installs it")
def test_an_ubuntu_as_installed_needs_no_setting(play: Play, archive: str) -> None:
    """dpkg's vendor file, which Ubuntu has too, names Debian's domain: everything is found there."""
    machine = play(DEBIAN12, ubuntu(archive) | {"dpkg/origins/debian": VENDOR.read_text()})
    ended = machine.run(*FETCH)
    assert ended.status == 0, ended.output


def test_a_fedora_with_debian_mirror_builds_the_digest_of_this_host(play: Play, digest: str) -> None:
    """Without apt the image comes out with the same digest as here."""
    machine = play(FEDORA, fedora()).with_variables(DEBIAN_MIRROR=" ".join(mirrors.list_mirrors()))
    ended = machine.run("make", "build")
    assert ended.status == 0, ended.output
    assert digest in ended.output
