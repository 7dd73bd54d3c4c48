"""The sources of inputs, their order, and the report of a fetch when no source has them."""

import errno
import os
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from nix import inputs, pins, publish_inputs
from nix.fetching import fetch_report
from nix.input_archive import release
from tests.integration.nix.world import PACKAGES, SNAPSHOT, World, add_wheel, failure, pool, remove_packages, serve

ALL = list(PACKAGES)


def security_path(path: str) -> str:
    """Return the path of a package of the main archive in the security archive."""
    return path.replace("pool/main/", "pool/updates/main/")


def empty_cache(world: World) -> None:
    """Forget every input."""
    shutil.rmtree(world.folder / "cache")


def name_snapshot(world: World) -> None:
    """Let apt's configuration name a snapshot archive on the world's server."""
    with (world.folder / "apt/apt.conf").open("a") as file:
        file.write(f'Acquire::Snapshots::URI::Origin::Debian "{world.address}/archive/@PATH@/@SNAPSHOTID@/";\n')


def name_origin(world: World) -> None:
    """Make the clone's remote a repository on the world's server."""
    clone = world.folder / "clone"
    for words in (["init", "-q"], ["remote", "add", "origin", f"{world.address}/owner/project.git"]):
        subprocess.run(["git", "-C", clone, *words], check=True)


def publish_release(world: World) -> str:
    """Publish the archive of the cached inputs as the forge would; returns its path on the server."""
    tar = publish_inputs.write(world.folder / "published")
    path = f"/owner/project/releases/download/{release.name()}/{release.name()}.tar"
    world.served[f"/assets/{tar.name}"] = tar.read_bytes()
    world.redirects[path] = f"{world.address}/assets/{tar.name}"
    return path


def test_a_disk_that_fills_while_a_root_is_unpacked_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk is reported with its remedy, not as a hash, and the same command works once there is space."""

    def full(debs: object, tree: Path) -> None:
        tree.mkdir(parents=True)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(inputs, "unpack_debs", full)
        assert inputs.main(["root", "image"]) == 1
    _, printed = capsys.readouterr()
    assert "the disk is full\nnext: make cache-prune" in printed
    assert "NAR hash" not in printed
    assert inputs.main(["root", "image"]) == 0


@pytest.mark.parametrize("pinned_in_main", [True, False])
def test_a_package_that_moved_between_the_archives_is_found(world: World, pinned_in_main: bool) -> None:
    """A package is found in the other archive's pool path, whichever of the two is pinned."""
    here = "/" + pool("beta")
    if pinned_in_main:
        world.served[security_path(here)] = world.served.pop(here)
    else:
        lock = world.folder / "locks/image-debs.lock"
        lock.write_text(lock.read_text().replace(pool("beta"), security_path(pool("beta"))))
    inputs.fetch()
    assert world.cached == ALL


def test_the_security_archive_beside_a_mirror_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that ends in /debian is enough if its security archive is beside it."""
    for path, content in remove_packages(world).items():
        world.served[("/debian-security" + security_path(path)) if "beta" in path else ("/debian" + path)] = content
    monkeypatch.setenv("DEBIAN_MIRROR", f"{world.address}/debian")
    inputs.fetch()
    assert world.cached == ALL


@pytest.mark.parametrize("scheme", ["file://", ""])
def test_a_mirror_can_be_a_folder(world: World, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEBIAN_MIRROR takes a folder, as a path or as a file address."""
    for path, content in remove_packages(world).items():
        file = world.folder / f"mirror{path}"
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    monkeypatch.setenv("DEBIAN_MIRROR", f"{scheme}{world.folder}/mirror")
    inputs.fetch()
    assert world.cached == ALL


def test_mirrors_in_apts_configuration_are_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without DEBIAN_MIRROR the configured repositories are asked, with no downloaded list."""
    monkeypatch.delenv("DEBIAN_MIRROR")
    (world.folder / "apt/sources/a.list").write_text(f"deb {world.address} bookworm main\n")
    inputs.fetch()
    assert world.cached == ALL


def test_a_lock_whose_pins_are_gone_comes_from_the_snapshot_then_from_the_release(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """With every pin gone from the mirror the snapshot archive gives the same root, and then the release does."""
    first = inputs.find_root("image").parent.name
    inputs.fetch()
    path = publish_release(world)
    packages = remove_packages(world)
    empty_cache(world)
    name_snapshot(world)
    for deb, content in packages.items():
        world.served[f"/archive/debian/{SNAPSHOT}{deb}"] = content
    assert inputs.find_root("image").parent.name == first
    assert "fetched 3 inputs from Debian's snapshot archive" in capsys.readouterr().err

    for deb in packages:
        del world.served[f"/archive/debian/{SNAPSHOT}{deb}"]
    empty_cache(world)
    name_origin(world)
    assert inputs.find_root("image").parent.name == first
    assert "from releases of the forge that this clone came from" in capsys.readouterr().err
    assert path in world.asked


def test_a_release_has_what_the_package_index_lacks(world: World) -> None:
    """Wheels come from the release too."""
    add_wheel(world)
    inputs.fetch()
    publish_release(world)
    empty_cache(world)
    shutil.rmtree(world.folder / "wheels")
    (world.folder / "wheels").mkdir()
    name_origin(world)
    inputs.fetch()
    assert world.cached == [*ALL, "tiny"]


def test_a_truncated_release_is_no_source(world: World) -> None:
    """Half a tar file gives what it holds whole; the rest is reported."""
    inputs.fetch()
    path = publish_release(world)
    world.truncated = {world.redirects[path].removeprefix(world.address)}
    remove_packages(world)
    empty_cache(world)
    name_origin(world)
    text = failure()
    assert "releases of the forge that this clone came from" in text
    assert "truncated" in text


def test_a_release_is_one_tar_file_for_the_same_inputs(world: World) -> None:
    """Writing the archive twice gives the same bytes, and ARCHIVE can name the file itself."""
    inputs.fetch()
    first = publish_inputs.write(world.folder / "one")
    second = publish_inputs.write(world.folder / "two")
    assert first.name == second.name == f"{release.name()}.tar"
    assert first.read_bytes() == second.read_bytes()
    remove_packages(world)
    empty_cache(world)
    inputs.fetch(folders=[first])
    assert (world.cached, world.asked) == (ALL, [])


def test_mirrors_in_files_of_the_host_come_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without Debian's repositories fetches from the mirror that debootstrap names."""
    monkeypatch.delenv("DEBIAN_MIRROR")
    for path, content in remove_packages(world).items():
        world.served["/debian" + path] = content
    script = world.folder / "host/usr/sbin/debootstrap"
    script.parent.mkdir(parents=True)
    script.write_text(f'DEF_MIRROR="{world.address}/debian"\n')
    inputs.fetch()
    assert world.cached == ALL


def test_nothing_is_downloaded_before_everything_is_found(world: World) -> None:
    """When one package is nowhere, the others are asked for and not downloaded."""
    del world.served["/" + pool("beta")]
    assert failure().startswith("cannot fetch 1 of 3 inputs; nothing was downloaded\n  Debian packages: beta 1.0\n")
    assert world.asked == []
    assert {"/" + pool(name) for name in PACKAGES} <= set(world.probed)


def test_a_server_that_refuses_the_question_is_asked_for_the_file(world: World) -> None:
    """A mirror that does not answer HEAD is given the benefit of the doubt."""
    world.refuses_head = True
    inputs.fetch()
    assert world.cached == ALL


def test_a_file_of_another_size_is_not_downloaded(world: World) -> None:
    """A mirror whose file has another size does not have the pinned one."""
    world.served["/" + pool("beta")] = b"short"
    assert "another file of that name" in failure()
    assert world.asked == []


def test_redirects_of_a_mirror_are_followed(world: World) -> None:
    """A mirror may send its clients to another server."""
    for path, content in remove_packages(world).items():
        world.redirects[path] = f"{world.address}/elsewhere{path}"
        world.served["/elsewhere" + path] = content
    inputs.fetch()
    assert world.cached == ALL


def test_a_host_without_debian_packages_is_told_what_to_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One screen: the distribution, every source in order with its reason once, and the two addresses needed."""
    monkeypatch.delenv("DEBIAN_MIRROR")
    (world.folder / "apt/sources/a.list").write_text(f"deb {world.address}/ubuntu noble main\n")
    (world.folder / "host/etc").mkdir()
    (world.folder / "host/etc/os-release").write_text('ID=ubuntu\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n')
    lines = failure().splitlines()
    assert lines[0] == "cannot fetch 3 of 3 inputs; nothing was downloaded"
    assert f"  repositories that apt is configured with: {world.address}: 404 Not Found (3 inputs)" in lines
    assert "this host: Ubuntu 24.04.1 LTS" in lines
    assert "next: export DEBIAN_MIRROR='MAIN SECURITY'" in lines
    assert any("two addresses" in line for line in lines)
    assert any("sudo apt-get install debootstrap" in line for line in lines)
    assert len(lines) <= 22
    monkeypatch.setenv("DEBIAN_MIRROR", world.address)
    inputs.fetch()
    assert world.cached == ALL


def test_a_superseded_package_is_reported_with_make_lock(world: World) -> None:
    """When a mirror has the other packages, the missing one was superseded: make lock is the remedy."""
    del world.served["/" + pool("beta")]
    text = failure()
    assert "superseded on the mirrors: beta 1.0" in text
    assert "next: make lock PACKAGE='beta' DRY_RUN=1" in text


def test_one_mirror_without_the_security_archive_is_reported_as_that(world: World) -> None:
    """When only packages of the security archive are missing, the second address is the remedy."""
    lock = world.folder / "locks/image-debs.lock"
    lock.write_text(lock.read_text().replace(pool("beta"), security_path(pool("beta"))))
    del world.served["/" + pool("beta")]
    lines = failure().splitlines()
    assert "DEBIAN_MIRROR needs two addresses, of the main and of the security archive" in lines
    assert "next: export DEBIAN_MIRROR='MAIN SECURITY'" in lines
    assert not any("superseded" in line for line in lines)


def test_an_unreachable_network_is_reported_as_that(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no server can be reached the remedy is the network, not another mirror."""
    monkeypatch.setenv("DEBIAN_MIRROR", "http://127.0.0.1:1/debian")
    text = failure()
    assert "http://127.0.0.1:1: Connection refused (3 inputs)" in text
    assert "next: check the network" in text


def test_an_intercepted_connection_is_reported_with_its_own_remedy(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that does not verify is named, with the variables that name another bundle."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on this host")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(["openssl", *words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    other = World(tmp_path)
    server = serve(other)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("DEBIAN_MIRROR", other.address.replace("http:", "https:"))
    try:
        text = failure()
    finally:
        server.shutdown()
        server.server_close()
    assert "certificate verify failed" in text
    assert "SSL_CERT_FILE" in text
    assert "Is the network up" not in text


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://forge.test/owner/project.git", "https://forge.test/owner/project"),
        ("https://user:token@forge.test:8443/owner/project", "https://forge.test:8443/owner/project"),
        ("git@forge.test:owner/project.git", "https://forge.test/owner/project"),
        ("ssh://git@forge.test:22/owner/project.git", "https://forge.test/owner/project"),
        ("http://127.0.0.1:3000/owner/project/", "http://127.0.0.1:3000/owner/project"),
        ("/srv/git/project.git", None),
        ("file:///srv/git/project.git", None),
        ("../project", None),
        ("", None),
    ],
)
def test_a_release_address_follows_from_the_origin(world: World, origin: str, expected: str | None) -> None:
    """Web and ssh forms of a remote give the forge's https address, without credentials; a path gives none."""
    tail = f"/releases/download/{release.name()}/{release.name()}.tar"
    assert release.derive_address(origin) == (expected + tail if expected else None)


def test_snapshot_lines_are_no_part_of_a_package(world: World) -> None:
    """A lock's timestamps say where to look; packages that differ in nothing else are the same input."""
    (deb, *_), lock = pins.read_deb_lock("image").debs, world.folder / "locks/image-debs.lock"
    lock.write_text(lock.read_text().replace(f"snapshot {SNAPSHOT}\n", ""))
    (other, *_) = pins.read_deb_lock("image").debs
    assert (deb.snapshots, other.snapshots) == ((SNAPSHOT,), ())
    assert deb == other


def test_the_page_lists_the_sources_in_the_order_of_the_report() -> None:
    """docs/reference/inputs.md and the report have the same sources, words and order."""
    page = (Path(__file__).resolve().parents[3] / "docs/reference/inputs.md").read_text()
    assert re.findall(r"^\d\. \*\*(.+?)\*\*", page, re.M) == list(fetch_report.SOURCES.values())
