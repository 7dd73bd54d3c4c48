"""Archives of inputs: enough to fetch from when every mirror is empty."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from nix import archive_inputs, inputs
from nix.pins import InputProblem, list_inputs
from tests.integration.nix.world import PACKAGES, World, pool

ALL = list(PACKAGES)
REPOSITORY = "/v2/some/where/blobs/sha256:"


@pytest.fixture
def archive(world: World) -> Path:
    """An archive of the world's inputs; afterwards the cache and every source are empty."""
    folder = world.folder / "archive"
    assert archive_inputs.main([str(folder)]) == 0
    forget(world)
    return folder


def forget(world: World) -> None:
    """Empty the cache, the server and pip's folder."""
    shutil.rmtree(world.folder / "cache")
    shutil.rmtree(world.folder / "wheels")
    (world.folder / "wheels").mkdir()
    world.served.clear()
    world.asked.clear()


def serve(world: World, archive: Path) -> None:
    """Make the server a registry that holds the archive."""
    for path in (archive / "blobs/sha256").iterdir():
        world.served[REPOSITORY + path.name] = path.read_bytes()


def index(archive: Path) -> list[dict[str, Any]]:
    """Return the descriptors in an archive's index."""
    document: list[dict[str, Any]] = json.loads((archive / "index.json").read_bytes())["manifests"]
    return document


def test_an_archive_is_enough(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch with ARCHIVE fills an empty cache and sends no request."""
    monkeypatch.setenv("ARCHIVE", str(archive))
    inputs.fetch()
    assert (world.cached, world.asked) == (ALL, [])


def test_an_archive_is_an_oci_layout(archive: Path) -> None:
    """Every descriptor of the layout, the index's included, has a blob of its size and digest."""
    assert json.loads((archive / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    (top,) = index(archive)
    manifest = json.loads((archive / "blobs/sha256" / top["digest"][7:]).read_bytes())
    assert len(manifest["layers"]) == len(ALL)
    for entry in (top, manifest["config"], *manifest["layers"]):
        data = (archive / "blobs/sha256" / entry["digest"][7:]).read_bytes()
        assert (len(data), "sha256:" + hashlib.sha256(data).hexdigest()) == (entry["size"], entry["digest"])


def test_the_same_inputs_are_the_same_archive(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archiving the same inputs again changes no file."""
    monkeypatch.setenv("ARCHIVE", str(archive))
    inputs.fetch()
    before = {path: path.stat().st_mtime_ns for path in archive.rglob("*")}
    assert archive_inputs.write(archive, list_inputs("image")) == 0
    assert {path: path.stat().st_mtime_ns for path in archive.rglob("*")} == before


def test_the_archive_of_earlier_locks_stays(world: World, archive: Path) -> None:
    """After a pin moves, the archive holds both manifests and all blobs of both."""
    lock = world.folder / "locks/image-debs.lock"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join(lines[1:]) + "\n")
    assert archive_inputs.main([str(archive)]) == 0
    manifests = [json.loads((archive / "blobs/sha256" / one["digest"][7:]).read_bytes()) for one in index(archive)]
    assert [len(one["layers"]) for one in manifests] == [3, 2]
    assert (archive / "blobs/sha256" / lines[0].split()[3]).exists()


def test_an_altered_blob_is_not_used(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An altered blob of the archive counts as missing."""
    blob = archive / "blobs/sha256" / list_inputs("image")[0].sha256
    blob.write_bytes(blob.read_bytes()[:-1] + b"X")
    monkeypatch.setenv("ARCHIVE", str(archive))
    with pytest.raises(InputProblem, match=r"(?s)cannot fetch 1 of 1 inputs; .*alpha 1\.0"):
        inputs.fetch()


@pytest.mark.parametrize("text", ['{"manifests": [{"digest": "sha256:0"}]}', "{}", "no JSON", "[]"])
def test_a_layout_of_something_else_is_not_added_to(
    world: World, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with an image, or with an unreadable index, is refused and left as it is."""
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "index.json").write_text(text)
    assert archive_inputs.main([str(folder)]) == 1
    assert "index.json: got the index of something else, expected an archive of inputs" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["index.json"]
    assert (folder / "index.json").read_text() == text


def test_a_killed_archive_is_completed(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill leaves a partial blob under another name and no index; the next run completes the archive."""
    monkeypatch.setenv("ARCHIVE", str(archive))
    inputs.fetch()
    blob = archive / "blobs/sha256" / list_inputs("image")[0].sha256
    data = blob.read_bytes()
    blob.rename(f"{blob}.part").write_bytes(data[:10])
    (archive / "index.json").unlink()
    assert archive_inputs.write(archive, list_inputs("image")) == len(data)
    assert blob.read_bytes() == data
    assert not list(archive.rglob("*.part"))


def test_a_registry_is_asked_before_the_mirrors(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs come from the repository that ARCHIVE_REGISTRY names, by digest, with ARCHIVE_AUTHORIZATION."""
    serve(world, archive)
    monkeypatch.setenv("ARCHIVE_REGISTRY", f"{world.address}/some/where")
    monkeypatch.setenv("ARCHIVE_AUTHORIZATION", "Basic abc")
    inputs.fetch()
    assert world.cached == ALL
    assert sorted(world.asked) == sorted(REPOSITORY + one.sha256 for one in list_inputs("image"))
    assert set(world.authorizations[-len(ALL) :]) == {"Basic abc"}


def test_a_redirect_is_followed_without_the_authorization(
    world: World, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registries redirect to where they store blobs: that server does not get the registry's credentials."""
    serve(world, archive)
    for path in [path for path in world.served if path.startswith(REPOSITORY)]:
        world.served[f"/stored/{path[-64:]}"] = world.served.pop(path)
        world.redirects[path] = f"{world.address}/stored/{path[-64:]}"
    monkeypatch.setenv("ARCHIVE_REGISTRY", f"{world.address}/some/where")
    monkeypatch.setenv("ARCHIVE_AUTHORIZATION", "Basic abc")
    world.authorizations.clear()
    inputs.fetch()
    assert world.cached == ALL
    sent = dict(zip(world.asked, world.authorizations, strict=True))
    assert {value for path, value in sent.items() if path.startswith("/stored/")} == {None}


def test_inputs_missing_from_a_registry_come_from_the_mirror(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs that are not in the registry, or altered there, are fetched from the mirror."""
    first, second, *_ = list_inputs("image")
    world.served[REPOSITORY + first.sha256] = b"other bytes"
    world.served[REPOSITORY + second.sha256] = world.served["/" + pool("beta")]
    monkeypatch.setenv("ARCHIVE_REGISTRY", f"{world.address}/some/where")
    inputs.fetch()
    assert world.cached == ALL
    assert {path for path in world.asked if "pool" in path} == {"/" + pool("alpha"), "/" + pool("gamma")}


@pytest.mark.parametrize("text", ["http://example.org/a", "https://example.org", "folder", "ftp://127.0.0.1/a"])
def test_an_address_that_is_no_registry_is_refused(text: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without a repository, or without TLS except on loopback, is refused before any request."""
    monkeypatch.setenv("ARCHIVE_REGISTRY", text)
    with pytest.raises(InputProblem, match="expected https://HOST/REPOSITORY"):
        inputs.fetch()
    assert world.asked == []
