"""The lock of the layers names the first file that is not as it was."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from oci.locked import LockedLayerDiffers, check_locked, files_bytes, lock_text
from tests.layouts import Layer


def layer(folder: Path, name: str, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    """A layer folder as the assembler leaves it."""
    target = folder / name
    target.mkdir(parents=True)
    blob = gzip.compress(Layer(files=files, links=links or {}).tar(), mtime=0)
    (target / "blob").write_bytes(blob)
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    (target / "layer.json").write_text(json.dumps({"name": name, "digest": digest, "size": len(blob)}))
    return target


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """The lock of one layer `base` with a file and a link."""
    made = layer(tmp_path / "locked", "base", {"etc/one": b"1", "etc/two": b"2"}, {"bin": "usr/bin"})
    path = tmp_path / "layers.lock"
    path.write_text(lock_text([made]))
    (tmp_path / "layers.files.xz").write_bytes(files_bytes([made]))
    return path


def test_the_same_layers_pass(lock: Path, tmp_path: Path) -> None:
    """Layers that are those of the lock are taken, whatever the app's is."""
    again = layer(tmp_path / "again", "base", {"etc/one": b"1", "etc/two": b"2"}, {"bin": "usr/bin"})
    check_locked([again, layer(tmp_path / "again", "handler", {"var/task/x": b"anything"})], lock)


@pytest.mark.parametrize(
    ("files", "links", "said"),
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
        ({"etc/two": b"2", "etc/one": b"1"}, {"bin": "usr/bin"}, "none in any file: order or compression"),
    ],
    ids=["content", "missing", "extra", "link", "kind", "order"],
)
def test_what_differs_is_named(
    lock: Path, tmp_path: Path, files: dict[str, bytes], links: dict[str, str], said: str
) -> None:
    """Another digest is refused with both digests, the first path that differs, how, and what to do."""
    with pytest.raises(
        LockedLayerDiffers, match=rf"layer base: layers.lock says sha256:.*\n  first difference: {said}"
    ):
        check_locked([layer(tmp_path / "other", "base", files, links)], lock)


def test_another_set_of_layers_is_refused(lock: Path, tmp_path: Path) -> None:
    """A layer that the lock does not know, and one that is missing, are named."""
    with pytest.raises(LockedLayerDiffers, match="names the layers base, built were other"):
        check_locked([layer(tmp_path / "other", "other", {})], lock)


def test_a_line_that_cannot_be_read_is_named(lock: Path, tmp_path: Path) -> None:
    """A damaged lock says which line, and what was expected there."""
    lock.write_text("# comment\nbase nonsense\n")
    with pytest.raises(LockedLayerDiffers, match=r"layers.lock:2: expected NAME DIGEST SIZE, got 'base nonsense'"):
        check_locked([layer(tmp_path / "other", "base", {})], lock)
