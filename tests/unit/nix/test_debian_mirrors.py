"""Which mirrors of Debian a host knows, from its files and from the mirrors that are configured."""

from pathlib import Path

import pytest

from nix.debian import mirrors
from nix.debian.mirrors import Pool, list_known_mirrors, list_pool_paths, list_snapshots_beside, with_security
from nix.pins import Deb


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of another host."""
    monkeypatch.setattr(mirrors, "HOST", tmp_path)
    return tmp_path


def put(path: Path, text: str) -> None:
    """Write a file of the host."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_host_without_files_about_debian_knows_no_mirror(host: Path) -> None:
    """Nothing is guessed."""
    assert list_known_mirrors() == []


def test_files_of_other_distributions_name_mirrors(host: Path) -> None:
    """python-apt's templates, debootstrap and dpkg's vendor file are read, each address once."""
    put(host / "usr/share/python-apt/templates/Debian.info", "BaseURI: https://one.test/debian/\n" * 2)
    script = 'DEF_MIRROR="http://two.test:8080/debian"\n# https://two.test/wiki\nMIRROR="$1/debian"\n'
    put(host / "usr/sbin/debootstrap", script)
    put(host / "etc/dpkg/origins/debian", "Vendor: Debian\nVendor-URL: https://www.debian.test/\n")
    expected = ["https://one.test/debian/", "http://two.test:8080/debian/", "http://deb.debian.test/debian/"]
    assert list_known_mirrors() == expected


def test_the_security_archive_beside_each_main_archive_is_a_candidate() -> None:
    """Only an address that ends in /debian has one beside it, and no address is listed twice."""
    arguments = [
        "http://one.test/debian/",
        "http://one.test/debian-security/",
        "http://two.test/debian/",
        "http://x.test/",
    ]
    assert with_security(arguments) == [*arguments, "http://two.test/debian-security/"]


@pytest.mark.parametrize(
    ("mirror", "host_name"),
    [
        ("http://deb.debian.test/debian/", "http://snapshot.debian.test"),
        ("https://ftp.xx.debian.test/debian/", "https://snapshot.debian.test"),
        ("http://security.debian.test:81/", "http://snapshot.debian.test:81"),
        ("http://mirror.test/debian/", None),
        ("http://mirror.example.test/debian/", None),
        ("http://127.0.0.1:81/debian/", None),
        ("file:///srv/debian/", None),
    ],
)
def test_a_snapshot_archive_is_derived_from_debians_own_domain(mirror: str, host_name: str | None) -> None:
    """Mirrors in other domains have no snapshot archive beside them."""
    expected = [f"{host_name}/archive/{name}/@SNAPSHOTID@/" for name in ("debian", "debian-security")]
    assert list_snapshots_beside([mirror]) == (expected if host_name else [])


def test_a_snapshot_has_an_address_for_each_timestamp() -> None:
    """A lock that moved in part has several timestamps, asked in their order; a mirror has one address."""
    snapshot, mirror = Pool("http://s.test/@SNAPSHOTID@/"), Pool("http://m.test/")
    assert snapshot.list_addresses("p", ("2", "1")) == ["http://s.test/2/p", "http://s.test/1/p"]
    assert snapshot.list_addresses("p", ()) == []
    assert mirror.list_addresses("p", ("2", "1")) == ["http://m.test/p"]


def test_a_package_has_a_path_in_each_archive() -> None:
    """The pinned path comes first; a path of another component has no other form."""
    main, security, other = "pool/main/a/a.deb", "pool/updates/main/a/a.deb", "pool/contrib/a/a.deb"
    for pinned, expected in ((main, [main, security]), (security, [security, main]), (other, [other])):
        assert list_pool_paths(Deb("a", "1", 1, "0" * 64, pinned)) == expected
