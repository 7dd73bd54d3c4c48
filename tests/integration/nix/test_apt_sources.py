"""The repositories that apt is configured with, read by the host's apt from sources of the test's own."""

import shutil
from pathlib import Path

import pytest

from nix.debian import apt_sources

pytestmark = pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt is not on this host")


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure apt without sources or downloaded lists; return the folder for `.list` and `.sources` files."""
    parts = tmp_path / "sources.list.d"
    for folder in (parts, tmp_path / "lists/partial"):
        folder.mkdir(parents=True)
    settings = {"SourceList": "/dev/null", "SourceParts": parts}
    lines = [f'Dir::Etc::{name} "{value}";\n' for name, value in settings.items()]
    (tmp_path / "apt.conf").write_text("".join(lines) + f'Dir::State::Lists "{tmp_path}/lists";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    return parts


def test_both_source_formats_are_read_without_lists(sources: Path) -> None:
    """One-line and deb822 sources yield each repository once, with no package list downloaded."""
    (sources / "a.list").write_text(
        "deb [arch=amd64] http://one.test/debian bookworm main contrib\n"
        "deb http://one.test/debian bookworm-updates main\n"
        "deb https://two.test/flat/ ./\n"
    )
    (sources / "b.sources").write_text(
        "Types: deb\nURIs: http://three.test/debian-security/\nSuites: bookworm-security\nComponents: main\n"
        "Signed-By: /nowhere/key.gpg\n\n"
        "Types: deb\nEnabled: no\nURIs: http://off.test/\nSuites: sid\nComponents: main\n"
    )
    assert sorted(apt_sources.list_repositories()) == [
        "http://one.test/debian/",
        "http://three.test/debian-security/",
        "https://two.test/flat/",
    ]
    assert ("http://one.test/debian/", "bookworm-updates") in apt_sources.list_suites()


def test_local_repositories_are_file_addresses(sources: Path, tmp_path: Path) -> None:
    """`file:` and `copy:` repositories become file addresses, and a CD is left out."""
    (sources / "a.list").write_text(
        f"deb file:{tmp_path}/pool sid main\n"
        f"deb copy:{tmp_path}/copies sid main\n"
        "deb cdrom:[Debian 12]/ bookworm main\n"
    )
    assert sorted(apt_sources.list_repositories()) == [f"file://{tmp_path}/copies/", f"file://{tmp_path}/pool/"]


def test_a_mirror_list_is_replaced_by_its_mirrors(sources: Path, tmp_path: Path) -> None:
    """A list of apt's `mirror` method yields the mirrors in it; a list that is not there yields none."""
    (tmp_path / "mirrors").write_text("# nearest first\nhttp://near.test/debian\tpriority:1\nhttp://far.test/debian/\n")
    (sources / "a.list").write_text(
        f"deb mirror+file:{tmp_path}/mirrors sid main\ndeb mirror+file:{tmp_path}/absent sid main\n"
    )
    assert apt_sources.list_repositories() == ["http://near.test/debian/", "http://far.test/debian/"]


def test_a_direct_proxy_is_no_proxy(sources: Path, tmp_path: Path) -> None:
    """`DIRECT` is an empty proxy, an address is itself, and a scheme that apt is silent about is left out."""
    with (tmp_path / "apt.conf").open("a") as file:
        file.write('#clear Acquire::http::Proxy;\n#clear Acquire::https::Proxy;\nAcquire::http::Proxy "DIRECT";\n')
    assert apt_sources.read_proxies() == {"http": ""}
    with (tmp_path / "apt.conf").open("a") as file:
        file.write('Acquire::https::Proxy "http://proxy.test:3128";\n')
    assert apt_sources.read_proxies() == {"http": "", "https": "http://proxy.test:3128"}


def test_no_apt_is_no_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A host without apt has no configured repository."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apt_sources.list_repositories() == []
