"""Archives of inputs: what was kept is enough when no mirror has anything any more."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import archive_folder
import pytest
from pins import InputProblem, inputs_of

import inputs
from tests.unit.nix.world import PACKAGES, World, pool

ALL = [*PACKAGES, "tiny"]
REPOSITORY = "/v2/some/where/blobs/sha256:"


@pytest.fixture
def archive(world: World) -> Path:
    """An archive of the world's inputs; then the cache is empty and nobody has anything."""
    folder = world.folder / "archive"
    assert archive_folder.main([str(folder)]) == 0
    forget(world)
    return folder


def forget(world: World) -> None:
    """Empty the cache, the mirror and pip's folder."""
    shutil.rmtree(world.folder / "cache")
    shutil.rmtree(world.folder / "wheels")
    (world.folder / "wheels").mkdir()
    world.served.clear()
    world.asked.clear()


def serve(world: World, archive: Path) -> None:
    """Let the mirror's server be a registry that holds the archive."""
    for path in (archive / "blobs/sha256").iterdir():
        world.served[REPOSITORY + path.name] = path.read_bytes()


def index(archive: Path) -> list[dict[str, Any]]:
    """The descriptors in an archive's index."""
    found: list[dict[str, Any]] = json.loads((archive / "index.json").read_bytes())["manifests"]
    return found


def test_an_archive_is_enough(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder that ARCHIVE names an empty cache is filled, and no mirror is asked."""
    monkeypatch.setenv("ARCHIVE", str(archive))
    inputs.fetch()
    assert (world.cached, world.asked) == (ALL, [])


def test_an_archive_is_an_oci_layout(archive: Path) -> None:
    """Every descriptor of the layout, its index's too, has a blob of that size and digest."""
    assert json.loads((archive / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    (top,) = index(archive)
    manifest = json.loads((archive / "blobs/sha256" / top["digest"][7:]).read_bytes())
    assert len(manifest["layers"]) == len(ALL)
    for one in (top, manifest["config"], *manifest["layers"]):
        data = (archive / "blobs/sha256" / one["digest"][7:]).read_bytes()
        assert (len(data), "sha256:" + hashlib.sha256(data).hexdigest()) == (one["size"], one["digest"])


def test_the_same_inputs_are_the_same_archive(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archiving again changes no file, and copies nothing."""
    monkeypatch.setenv("ARCHIVE", str(archive))
    inputs.fetch()
    before = {path: path.stat().st_mtime_ns for path in archive.rglob("*")}
    assert archive_folder.write(archive, inputs_of("image")) == 0
    assert {path: path.stat().st_mtime_ns for path in archive.rglob("*")} == before


def test_the_archive_of_earlier_locks_stays(world: World, archive: Path) -> None:
    """After a pin moved the archive holds both manifests, and every blob of both."""
    lock = world.folder / "locks/image-debs.lock"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join(lines[1:]) + "\n")
    assert archive_folder.main([str(archive)]) == 0
    manifests = [json.loads((archive / "blobs/sha256" / one["digest"][7:]).read_bytes()) for one in index(archive)]
    assert [len(one["layers"]) for one in manifests] == [4, 3]
    assert (archive / "blobs/sha256" / lines[0].split()[3]).exists()


def test_an_altered_archive_is_not_believed(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob that somebody changed is not taken from the archive: the input counts as missing."""
    blob = archive / "blobs/sha256" / inputs_of("image")[0].sha256
    blob.write_bytes(blob.read_bytes()[:-1] + b"X")
    monkeypatch.setenv("ARCHIVE", str(archive))
    with pytest.raises(InputProblem, match=r"(?s)1 of the pinned inputs .*alpha 1\.0"):
        inputs.fetch()


@pytest.mark.parametrize("text", ['{"manifests": [{"digest": "sha256:0"}]}', "{}", "no JSON", "[]"])
def test_a_layout_of_something_else_is_not_added_to(
    world: World, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that holds an image, or an index that nobody can read, is refused by name and stays as it is."""
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "index.json").write_text(text)
    assert archive_folder.main([str(folder)]) == 1
    assert "index.json is not of an archive of inputs" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["index.json"]
    assert (folder / "index.json").read_text() == text


def test_a_killed_archive_is_completed(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kill leaves, a half blob under another name and an old index, is made whole by the next run."""
    monkeypatch.setenv("ARCHIVE", str(archive))
    inputs.fetch()
    blob = archive / "blobs/sha256" / inputs_of("image")[0].sha256
    data = blob.read_bytes()
    blob.rename(f"{blob}.part").write_bytes(data[:10])
    (archive / "index.json").unlink()
    assert archive_folder.write(archive, inputs_of("image")) == len(data)
    assert blob.read_bytes() == data
    assert not list(archive.rglob("*.part"))


def test_a_registry_is_asked_before_the_mirrors(world: World, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository that ARCHIVE_REGISTRY names gives each input by its digest, with the authorization given."""
    serve(world, archive)
    monkeypatch.setenv("ARCHIVE_REGISTRY", f"{world.address}/some/where")
    monkeypatch.setenv("ARCHIVE_AUTHORIZATION", "Basic abc")
    inputs.fetch()
    assert world.cached == ALL
    assert sorted(world.asked) == sorted(REPOSITORY + one.sha256 for one in inputs_of("image"))
    assert set(world.authorizations[-len(ALL) :]) == {"Basic abc"}


def test_where_a_registry_sends_us_learns_no_authorization(
    world: World, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect, as a registry gives to where it stores blobs, is followed without the authorization."""
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


def test_what_a_registry_has_not_or_wrong_comes_from_the_mirror(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs that the registry lacks, or holds with other bytes, are fetched as if there were none."""
    first, second, *_ = inputs_of("image")
    world.served[REPOSITORY + first.sha256] = b"other bytes"
    world.served[REPOSITORY + second.sha256] = world.served["/" + pool("beta")]
    monkeypatch.setenv("ARCHIVE_REGISTRY", f"{world.address}/some/where")
    inputs.fetch()
    assert world.cached == ALL
    assert {path for path in world.asked if "pool" in path} == {"/" + pool("alpha"), "/" + pool("gamma")}


@pytest.mark.parametrize("text", ["http://example.org/a", "https://example.org", "folder", "ftp://127.0.0.1/a"])
def test_an_address_that_is_no_registry_is_refused(text: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository, or in the clear anywhere but on loopback, nothing is asked; the error says the form."""
    monkeypatch.setenv("ARCHIVE_REGISTRY", text)
    with pytest.raises(InputProblem, match="expected https://HOST/REPOSITORY"):
        inputs.fetch()
    assert world.asked == []
