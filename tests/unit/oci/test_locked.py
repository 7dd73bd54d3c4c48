"""The lock of the layers names the first file that is not as it was."""

import gzip
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from nix.oci.digest import sha256
from nix.oci.layer import LayerRecord
from nix.oci.locked import LockedLayerDiffers, check_locked, render_files, render_lock
from tests.layouts import Layer


def layer(folder: Path, name: str, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    """Return a layer folder as the assembler leaves it."""
    target = folder / name
    target.mkdir(parents=True)
    tar = Layer(files=files, links=links or {}).tar()
    blob = gzip.compress(tar, mtime=0)
    (target / "blob").write_bytes(blob)
    record = LayerRecord(name, sha256(blob), sha256(tar), len(blob), len(tar))
    (target / "layer.json").write_text(json.dumps(asdict(record)))
    return target


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """The lock of one layer `base` with a file and a link."""
    created = layer(tmp_path / "locked", "base", {"etc/one": b"1", "etc/two": b"2"}, {"bin": "usr/bin"})
    path = tmp_path / "layers.lock"
    path.write_text(render_lock([created]))
    (tmp_path / "layers.files.xz").write_bytes(render_files([created]))
    return path


def test_the_same_layers_pass(lock: Path, tmp_path: Path) -> None:
    """Layers that match the lock pass, whatever the app's layers are."""
    again = layer(tmp_path / "again", "base", {"etc/one": b"1", "etc/two": b"2"}, {"bin": "usr/bin"})
    check_locked([again, layer(tmp_path / "again", "handler", {"var/task/x": b"anything"})], lock)


@pytest.mark.parametrize(
    ("files", "links", "message"),
    [
        (
            {"etc/one": b"1", "etc/two": b"X"},
            {"bin": "usr/bin"},
            r"etc/two: content: expected sha256 \w{8}…, got \w{8}…",
        ),
        ({"etc/one": b"1"}, {"bin": "usr/bin"}, "etc/two: missing"),
        ({"etc/one": b"1", "etc/three": b"", "etc/two": b"2"}, {"bin": "usr/bin"}, "etc/three: extra"),
        ({"etc/one": b"1", "etc/two": b"2"}, {"bin": "sbin"}, "bin: link target: expected"),
        ({"bin": b"", "etc/one": b"1", "etc/two": b"2"}, {}, "bin: expected a link, got a file"),
        ({"etc/two": b"2", "etc/one": b"1"}, {"bin": "usr/bin"}, "in no file, only in order or compression"),
    ],
    ids=["content", "missing", "extra", "link", "kind", "order"],
)
def test_what_differs_is_named(
    lock: Path, tmp_path: Path, files: dict[str, bytes], links: dict[str, str], message: str
) -> None:
    """A different digest raises an error with both digests, the first different path and the remedy."""
    with pytest.raises(LockedLayerDiffers, match=rf"layer base: got sha256:.*\n  first difference: {message}"):
        check_locked([layer(tmp_path / "other", "base", files, links)], lock)


def test_another_set_of_layers_is_refused(lock: Path, tmp_path: Path) -> None:
    """A layer that the lock does not know, and one that is missing, are named."""
    with pytest.raises(LockedLayerDiffers, match="got other, expected base as in"):
        check_locked([layer(tmp_path / "other", "other", {})], lock)


def test_a_line_that_cannot_be_read_is_named(lock: Path, tmp_path: Path) -> None:
    """An invalid line of the lock raises an error with its number and the expected form."""
    lock.write_text("# comment\nbase nonsense\n")
    with pytest.raises(LockedLayerDiffers, match=r"layers.lock:2: expected NAME DIGEST SIZE, got 'base nonsense'"):
        check_locked([layer(tmp_path / "other", "base", {})], lock)
