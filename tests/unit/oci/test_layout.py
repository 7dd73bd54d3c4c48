"""Writing layouts."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from nix.oci import layout
from nix.oci.check import check_image
from nix.oci.config import create_labels
from nix.oci.contents import Contents, File, InMemory
from nix.oci.digest import digest_file
from nix.oci.exceptions import BrokenLayer, PathConflict
from nix.oci.layer import write_layer
from nix.oci.layout import write_layout, write_stamp
from nix.oci.lint.scan_file import write_scan

LABELS = create_labels("0123456789abcdef", "1.0", "sha256:00")


def layer(target: Path, name: str, path: str) -> Path:
    """Return a layer folder with one file."""
    contents = Contents()
    contents.add(path, File(InMemory(name.encode())), name)
    write_layer(name, contents, target / name)
    write_scan(target / name)
    return target / name


def blob(layout: Path, digest: str) -> bytes:
    """Return a blob of a layout."""
    return (layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()


def documents(layout: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Manifest and config."""
    (descriptor,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads(blob(layout, descriptor["digest"]))
    return manifest, json.loads(blob(layout, manifest["config"]["digest"]))


def test_a_manifest_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    """The same layers and labels give the same documents, whatever the order of the labels."""
    folders = [layer(tmp_path, "one", "a"), layer(tmp_path, "two", "b")]
    first = write_layout(tmp_path / "first", folders, LABELS)
    second = write_layout(tmp_path / "second", folders, dict(reversed(LABELS.items())))
    assert first == second
    assert hashlib.sha256(blob(tmp_path / "first", first.image.digest)).hexdigest() == first.image.digest[7:]


def test_each_layer_has_its_diff_id_and_history(tmp_path: Path) -> None:
    """Manifest, diff_ids and history list the layers in the order given."""
    folders = [layer(tmp_path, "one", "a"), layer(tmp_path, "two", "b")]
    record = write_layout(tmp_path / "layout", folders, LABELS)
    manifest, config = documents(tmp_path / "layout")
    assert [entry["digest"] for entry in manifest["layers"]] == [entry.digest for entry in record.layers]
    assert config["rootfs"]["diff_ids"] == [entry.diff_id for entry in record.layers]
    assert [entry["created_by"] for entry in config["history"]] == ["layer one", "layer two"]
    assert config["created"] == "1970-01-01T00:00:01Z"


def test_labels_name_the_images_source(tmp_path: Path) -> None:
    """Commit, version and locks' digest are labels."""
    write_layout(tmp_path / "layout", [layer(tmp_path, "one", "a")], LABELS)
    assert documents(tmp_path / "layout")[1]["config"]["Labels"] == {
        "org.opencontainers.image.revision": "0123456789abcdef",
        "org.opencontainers.image.title": "score-processor",
        "org.opencontainers.image.version": "1.0",
        "score-processor.locks": "sha256:00",
    }


def test_docker_has_its_own_manifest(tmp_path: Path) -> None:
    """manifest.json names the same blobs, for `docker load`."""
    record = write_layout(tmp_path / "layout", [layer(tmp_path, "one", "a")], LABELS)
    (image,) = json.loads((tmp_path / "layout/manifest.json").read_bytes())
    assert image["Config"] == f"blobs/sha256/{record.config_digest[7:]}"
    assert image["Layers"] == [f"blobs/sha256/{record.layers[0].digest[7:]}"]


@pytest.mark.parametrize("stamped", [False, True])
def test_an_altered_layer_is_refused(tmp_path: Path, *, stamped: bool) -> None:
    """A changed blob raises BrokenLayer with both digests, stamped or not."""
    folder = layer(tmp_path, "one", "a")
    if stamped:
        write_stamp(folder)
    data = bytearray((folder / "blob").read_bytes())
    data[-1] ^= 1
    (folder / "blob").write_bytes(data)
    with pytest.raises(BrokenLayer, match=r"(?s)layer one was altered.*expected sha256:.*got      sha256:"):
        write_layout(tmp_path / "layout", [folder], LABELS)


def test_a_stamped_layer_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stamped layer is not hashed again, even if it got another hard link since."""
    known, new = layer(tmp_path, "one", "a"), layer(tmp_path, "two", "b")
    write_stamp(known)
    os.link(known / "blob", tmp_path / "another name")
    read: list[int] = []

    def counting(path: Path) -> str:
        read.append(path.stat().st_ino)
        return digest_file(path)

    monkeypatch.setattr(layout, "digest_file", counting)
    write_layout(tmp_path / "layout", [known, new], LABELS)
    assert read == [(new / "blob").stat().st_ino]


def test_layers_that_write_one_path_are_refused(tmp_path: Path) -> None:
    """Two layers with one path raise PathConflict with both names."""
    folders = [layer(tmp_path, "one", "a/b"), layer(tmp_path, "two", "a/b")]
    write_layout(tmp_path / "layout", folders, LABELS)
    with pytest.raises(PathConflict, match="/a/b: one and two"):
        check_image(tmp_path / "layout", folders)
