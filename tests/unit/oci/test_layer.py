"""Layers as bytes."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from nix.oci import layer as layers
from nix.oci.contents import Contents, File, Folder, InMemory, Link
from nix.oci.layer import read_layer, write_layer
from nix.oci.lint.scan import scan_blob

LONG = "folder/" + "long-" * 30 + "name"


def sample() -> Contents:
    """One entry of each kind, and a name that does not fit a tar header."""
    contents = Contents()
    contents.add("tmp", Folder(0o1777), "assembler")
    contents.add("bin/run", File(InMemory(b"#!/bin/run\n"), executable=True), "tool")
    contents.add("bin/link", Link("run"), "tool")
    contents.add(LONG, File(InMemory(b"text")), "other")
    return contents


def test_a_layer_is_what_it_was_a_year_ago(tmp_path: Path) -> None:
    """The tar's digest is a constant: it depends on contents only."""
    record = write_layer("sample", sample(), tmp_path)
    assert record.diff_id == "sha256:789f3e12e27d731fff5dcb826f13ea9addf2fa1eb1c2e5f88e0e93d656ad69cd"


def test_any_tar_reader_reads_a_layer(tmp_path: Path) -> None:
    """Python's tarfile finds the same entries, with root's ownership, one time and three modes."""
    write_layer("sample", sample(), tmp_path)
    with tarfile.open(tmp_path / "blob") as archive:
        members = {info.name: info for info in archive}
        run = archive.extractfile("bin/run")
        assert run is not None
        assert run.read() == b"#!/bin/run\n"
    assert list(members) == sorted(["bin", "bin/link", "bin/run", "folder", LONG, "tmp"])
    assert {name: info.mode for name, info in members.items() if not info.isdir()} == {
        "bin/run": 0o755,
        "bin/link": 0o777,
        LONG: 0o644,
    }
    assert {(info.uid, info.gid, info.uname, info.gname, info.mtime) for info in members.values()} == {
        (0, 0, "", "", 1)
    }
    assert members["bin/link"].linkname == "run"


def test_a_record_says_what_the_blob_is(tmp_path: Path) -> None:
    """Digests and sizes in layer.json are those of the blob and of its tar."""
    record = write_layer("sample", sample(), tmp_path)
    blob = (tmp_path / "blob").read_bytes()
    plain = gzip.decompress(blob)
    assert record == read_layer(tmp_path)
    assert (record.size, record.unpacked_size) == (len(blob), len(plain))
    assert record.digest == "sha256:" + hashlib.sha256(blob).hexdigest()
    assert record.diff_id == "sha256:" + hashlib.sha256(plain).hexdigest()
    assert {name: (share.files, share.size) for name, share in record.packages.items()} == {
        "tool": (1, 11),
        "other": (1, 4),
    }


@pytest.mark.parametrize("size", [0, 1, 1000, 3000, 100_000])
def test_chunks_make_one_gzip_member(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks deflated apart read as one gzip, wherever their borders fall."""
    monkeypatch.setattr(layers, "CHUNK", 1000)
    contents = Contents()
    contents.add("data", File(InMemory(bytes(range(256)) * (size // 256) + bytes(size % 256))), "one")
    record = write_layer("chunks", contents, tmp_path)
    assert len(gzip.decompress((tmp_path / "blob").read_bytes())) == record.unpacked_size


def test_the_number_of_processors_does_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker and seven write the same bytes."""
    monkeypatch.setattr(layers, "CHUNK", 700)
    blobs = []
    for count in (1, 7):
        monkeypatch.setattr("os.cpu_count", lambda count=count: count)
        write_layer("sample", sample(), tmp_path / str(count))
        blobs.append((tmp_path / str(count) / "blob").read_bytes())
    assert blobs[0] == blobs[1]


def test_a_written_layer_reads_back_as_it_was_meant(tmp_path: Path) -> None:
    """The scanner, which shares no code with the writer, finds the same digests and entries."""
    record = write_layer("sample", sample(), tmp_path)
    scan = scan_blob(io.BytesIO((tmp_path / "blob").read_bytes()))
    assert (scan.digest, scan.diff_id, scan.size) == (record.digest, record.diff_id, record.size)
    assert scan.fault is None
    assert [(entry.path, entry.kind) for entry in scan.entries] == [
        ("bin", "folder"),
        ("bin/link", "link"),
        ("bin/run", "file"),
        ("folder", "folder"),
        (LONG, "file"),
        ("tmp", "folder"),
    ]


def test_a_record_is_plain_json(tmp_path: Path) -> None:
    """layer.json can be read by anything."""
    write_layer("sample", sample(), tmp_path)
    assert json.loads((tmp_path / "layer.json").read_text())["name"] == "sample"
