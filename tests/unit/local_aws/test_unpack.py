"""Layers to folders."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local_aws import unpack
from local_aws.exceptions import InvalidImage
from local_aws.image import from_layout
from local_aws.unpack import flatten, has_whiteouts, unpack_layer
from tests.layouts import Layer, write_layout


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_layout_becomes_folders_in_order(tmp_path: Path, cache: Path) -> None:
    """Each layer is a folder by its diff_id, and the run configuration is read."""
    layers = [Layer(files={"a": b"1"}), Layer(files={"b": b"2"}, links={"l": "b"})]
    digest = write_layout(tmp_path / "layout", layers, {"Entrypoint": ["/x"], "Env": ["K=a=b"]})
    image = from_layout(tmp_path / "layout")
    assert (image.digest, image.entrypoint, image.environment) == (digest, ("/x",), {"K": "a=b"})
    assert [sorted(entry.name for entry in layer.iterdir()) for layer in image.layers] == [["a"], ["b", "l"]]


def test_wrong_diff_id_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """A layer whose content differs from its diff_id is an error that names both, and no folder stays."""
    blob = tmp_path / "blob"
    blob.write_bytes(Layer(files={"a": b"1"}).tar())
    cache = tmp_path / "cache"
    cache.mkdir()
    with pytest.raises(InvalidImage, match=r"diff_id sha256:.*expected sha256:0"):
        unpack_layer(blob, "sha256:" + "0" * 64, cache)
    assert list(cache.iterdir()) == []


def test_damaged_blob_is_refused(tmp_path: Path, cache: Path) -> None:
    """A manifest blob of other bytes than its digest is an error that names both digests."""
    digest = write_layout(tmp_path / "layout", [Layer(files={"a": b"1"})])
    (tmp_path / "layout/blobs" / digest.replace(":", "/")).write_text("{}")
    with pytest.raises(InvalidImage, match="got digest"):
        from_layout(tmp_path / "layout")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (b"{}", "no 'rootfs'"),
        (b"[]", "list indices"),
        (b"{", "Expecting property name"),
        (b'{"rootfs": {"diff_ids": ["a"]}, "config": {"Env": ["ALONE"]}}', "length 1; 2 is required"),
    ],
)
def test_odd_config_is_refused(tmp_path: Path, cache: Path, config: bytes, problem: str) -> None:
    """A config that is no image's is an error with the image's digest, not a crash."""
    target = tmp_path / "layout"
    write_layout(target, [Layer(files={"a": b"1"})])
    index = json.loads((target / "index.json").read_text())
    manifest = json.loads((target / "blobs" / index["manifests"][0]["digest"].replace(":", "/")).read_text())
    manifest["config"]["digest"] = put(target, config)
    index["manifests"][0]["digest"] = put(target, json.dumps(manifest).encode())
    (target / "index.json").write_text(json.dumps(index))
    with pytest.raises(
        InvalidImage, match=f"image {index['manifests'][0]['digest']} does not follow the OCI .*{problem}"
    ):
        from_layout(target)


def put(layout: Path, content: bytes) -> str:
    """Add a blob; returns its digest."""
    digest = hashlib.sha256(content).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(content)
    return f"sha256:{digest}"


@pytest.mark.parametrize("name", ["../outside", "a/../../outside"])
def test_path_out_of_the_image_is_refused(tmp_path: Path, name: str) -> None:
    """A layer cannot write beside its folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    (tmp_path / "blob").write_bytes(buffer.getvalue())
    with pytest.raises(InvalidImage, match="escapes the image"):
        unpack_layer(tmp_path / "blob", "sha256:" + "0" * 64, tmp_path)


def test_flattened_copy_follows_whiteouts(tmp_path: Path, cache: Path) -> None:
    """The merged folder has upper files over lower ones and not what a whiteout removes."""
    lower = Layer(files={"d/kept": b"1", "d/gone": b"1", "over": b"old"})
    upper = Layer(files={"d/.wh.gone": b"", "over": b"new"})
    write_layout(tmp_path / "layout", [lower, upper])
    layers = list(from_layout(tmp_path / "layout").layers)
    flat = flatten(layers, tmp_path / "cache")
    assert [has_whiteouts(layer) for layer in layers] == [False, True]
    assert (sorted(path.name for path in (flat / "d").iterdir()), (flat / "over").read_text()) == (["kept"], "new")


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: Any) -> tarfile.TarInfo:
    """Return an entry without content; more: its other fields."""
    created = tarfile.TarInfo(name)
    created.type = kind
    for field, value in more.items():
        setattr(created, field, value)
    return created


def unpack_entries(folder: Path, *entries: tarfile.TarInfo) -> Path:
    """Unpack a layer of these entries below a folder; InvalidImage when that is refused."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for item in entries:
            archive.addfile(item)
    (folder / "blob").write_bytes(buffer.getvalue())
    (folder / "cache").mkdir(exist_ok=True)
    digest = f"sha256:{hashlib.sha256(buffer.getvalue()).hexdigest()}"
    return unpack_layer(folder / "blob", digest, folder / "cache")


def test_a_folder_takes_the_place_of_a_link(tmp_path: Path) -> None:
    """A folder's mode never reaches what a link of the same name leads to, which may lie outside the image."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    created = unpack_entries(
        tmp_path, entry("d", tarfile.SYMTYPE, linkname=str(outside)), entry("d", tarfile.DIRTYPE, mode=511)
    )
    assert outside.stat().st_mode & 0o777 == 0o700
    assert (created / "d").is_dir()
    assert not (created / "d").is_symlink()


def test_other_users_may_pass_folders_that_a_layer_does_not_name(tmp_path: Path) -> None:
    """Modes do not depend on the umask: a function that root starts has another user."""
    blob = Layer(files={"a/b/c": b"1"}).tar()
    (tmp_path / "blob").write_bytes(blob)
    (tmp_path / "cache").mkdir()
    before = os.umask(0o077)
    try:
        folder = unpack_layer(tmp_path / "blob", f"sha256:{hashlib.sha256(blob).hexdigest()}", tmp_path / "cache")
    finally:
        os.umask(before)
    assert {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))} == {
        folder.name: 0o755,
        "a": 0o755,
        "b": 0o755,
        "c": 0o644,
    }


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "a/.wh..."])
def test_a_whiteout_of_a_folder_itself_or_of_one_above_is_refused(tmp_path: Path, name: str) -> None:
    """Such a whiteout would remove what lies beside the image, the other images' layers first of all."""
    (tmp_path / "cache" / "another").mkdir(parents=True)
    with pytest.raises(InvalidImage, match="does not name a file"):
        unpack_entries(tmp_path, entry("a/kept"), entry(name))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["another"]


@pytest.mark.parametrize(
    ("entries", "output"),
    [
        ([entry("a", mtime=1e30)], "out of range"),
        ([entry(".")], "Is a directory"),
        ([entry("d", tarfile.DIRTYPE), entry("d")], "Is a directory"),
        ([entry("d"), entry("d/below")], "File exists"),
        ([entry("h", tarfile.LNKTYPE, linkname="nowhere")], "No such file"),
        ([entry("x" * 300)], "File name too long"),
        ([entry("big", pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 50)})], "sparse file"),
    ],
)
def test_entries_that_cannot_be_are_refused(tmp_path: Path, entries: list[tarfile.TarInfo], output: str) -> None:
    """An entry that no file system can have is an error about its layer, and leaves nothing behind."""
    with pytest.raises(InvalidImage, match=output):
        unpack_entries(tmp_path, *entries)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_layer_larger_than_any_image_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small blob that unpacks without end does not fill the disk."""
    monkeypatch.setattr(unpack, "LARGEST", 1 << 20)
    (tmp_path / "blob").write_bytes(gzip.compress(bytes(2 << 20)))
    with pytest.raises(InvalidImage, match="unpacks to more than 1048576 bytes"):
        unpack_layer(tmp_path / "blob", "sha256:" + "0" * 64, tmp_path)


@pytest.mark.parametrize("diff_id", ["sha256:..", "sha256:/etc", "/etc", ""])
def test_a_diff_id_that_is_a_path_is_refused(tmp_path: Path, diff_id: str) -> None:
    """The name that an image gives its layer never chooses a folder of this machine."""
    with pytest.raises(InvalidImage, match="expected sha256: and 64 hex"):
        unpack_layer(tmp_path / "blob", diff_id, tmp_path)


@pytest.mark.parametrize("manifests", [["a"], [{}], [{"digest": "sha256:../../secret"}], {}, [{"digest": 1}]])
def test_an_index_of_odd_shape_is_refused(tmp_path: Path, cache: Path, manifests: object) -> None:
    """An index without a manifest's digest is an error, and never a path."""
    (tmp_path / "index.json").write_text(json.dumps({"manifests": manifests}))
    with pytest.raises(InvalidImage, match=r"malformed digest|expected one"):
        from_layout(tmp_path)
