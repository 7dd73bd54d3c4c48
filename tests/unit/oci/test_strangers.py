"""The linter on random documents and bytes: it reports, and never raises."""

import json
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nix.oci.exceptions import OciError
from nix.oci.lint import lint, read_archive, read_layout
from nix.oci.lint.scan import LayerEntry, Scan, scan_blob
from nix.oci.lint.scan_file import from_document, to_document
from nix.oci.lint.tree import FileTree
from tests.unit.oci.corpus import CORPUS
from tests.unit.oci.drafts import Draft, Entry, digest

CHANCE = st.randoms(use_true_random=False)
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.just([]), st.just([1]), st.just({})
)


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner_value in inner:
        yield (*here, key)
        yield from places(inner_value, (*here, key))


def change(value: Any, way: tuple[Any, ...], put: Any) -> None:
    """Replace the value at a path."""
    for step in way[:-1]:
        value = value[step]
    value[way[-1]] = put


@settings(max_examples=150, deadline=None)
@given(which=st.sampled_from(["edit_config", "edit_manifest", "edit_index"]), chance=CHANCE, put=ANYTHING)
def test_any_document_can_be_linted(
    which: str, chance: random.Random, put: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With any value anywhere in index, manifest or config, lint returns a list of problems."""
    draft = Draft()

    def edit(document: dict[str, Any]) -> None:
        change(document, chance.choice(list(places(document))), put)

    setattr(draft, which, edit)
    assert isinstance(lint(read_layout(draft.write(tmp_path_factory.mktemp("odd")))), list)


@settings(max_examples=150, deadline=None)
@given(chance=CHANCE)
def test_any_bytes_can_be_linted(chance: random.Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With any bytes in a layer's tar, lint returns a list of problems."""

    def spoil(data: bytes) -> bytes:
        spoiled = bytearray(data)
        for _ in range(chance.randint(1, 30)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        return bytes(spoiled)

    draft = Draft(edit_tar=spoil)
    assert isinstance(lint(read_layout(draft.write(tmp_path_factory.mktemp("odd")))), list)


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b\x08 no gzip"], ids=["empty", "text", "gzip"])
def test_a_file_that_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    """A file that is not an archive raises OciError with its name."""
    path = tmp_path / "image.tar"
    path.write_bytes(content)
    with pytest.raises(OciError, match=r"image\.tar"):
        read_archive(path)


def test_the_error_for_another_file_is_one_line(tmp_path: Path) -> None:
    """The error for a file that is not an archive is one line, without each decompressor's message."""
    path = tmp_path / "notes.txt"
    path.write_text("no archive at all\n" * 100)
    with pytest.raises(OciError, match=r"not a tar archive of an image: .*notes\.txt: .*[^:]\Z") as caught:
        read_archive(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "handler = " + "+".join(["1"] * 2500),
        "handler = " + "(" * 150 + "1" + ")" * 150,
        "from handler.m0 import *",
        "from handler.app import *",
        "import " + ".".join(["handler"] * 2000),
        "from " + "." * 2000 + "x import y",
        "\0",
        "# coding: nosuch",
        "",
    ],
    ids=["sum", "brackets", "stars", "star-of-itself", "long", "dots", "null", "coding", "empty"],
)
def test_any_module_can_be_linted(source: str, tmp_path: Path) -> None:
    """A handler that is deep, long, circular or no text at all is linted, and never raises."""
    draft = Draft()
    draft.layers[1][-1].data = source.encode()
    chain = [f"from handler.m{number + 1} import *".encode() for number in range(400)]
    draft.layers[1] += [Entry(f"var/task/handler/m{number}.py", text) for number, text in enumerate(chain)]
    assert isinstance(lint(read_layout(draft.write(tmp_path))), list)


def test_a_tree_that_replaces_itself_is_merged_in_linear_time() -> None:
    """Sixty thousand directories that the next layer replaces or deletes need no more than one pass."""
    names = [f"d{number}" for number in range(60_000)]
    below = [
        *(LayerEntry(name, "folder", 0o755) for name in names),
        *(LayerEntry(f"{name}/x", "file", 1) for name in names),
    ]
    for above, left in (
        ([LayerEntry(name, "file", 1) for name in names], len(names)),
        ([LayerEntry(f".wh.{name}", "file", 0) for name in names], 0),
    ):
        tree = FileTree([Scan("", 0, "", 0, tuple(below)), Scan("", 0, "", 0, tuple(above))])
        assert len(tree.entries) == left


def test_a_file_that_is_no_archive_is_described(tmp_path: Path) -> None:
    """The error quotes the file's first bytes, or calls it empty, and names the formats that are read."""
    formats = "expected a tar archive, plain or compressed by gzip, bzip2 or xz"
    for content, got in ((b"", "an empty file"), (b"PK\3\4rest", r"a file that begins with b'PK\x03\x04rest'")):
        path = tmp_path / "image.tar"
        path.write_bytes(content)
        with pytest.raises(OciError) as caught:
            read_archive(path)
        assert str(caught.value) == f"not a tar archive of an image: {path}: got {got}, {formats}"


def test_a_file_that_does_not_exist_is_no_archive(tmp_path: Path) -> None:
    """A missing file is reported as one, and not as a broken archive."""
    with pytest.raises(OciError) as caught:
        read_archive(tmp_path / "image.tar")
    assert str(caught.value) == f"cannot read the image: {tmp_path / 'image.tar'}: No such file or directory"


def test_a_folder_without_an_index_is_no_layout(tmp_path: Path) -> None:
    """The error names the folder and what is wrong with its index.json, and proposes no build of this project."""
    with pytest.raises(OciError) as caught:
        read_layout(tmp_path)
    reason = "cannot read its index.json: No such file or directory"
    assert str(caught.value) == f"not an OCI image layout: {tmp_path}: {reason}"
    (tmp_path / "index.json").write_text("[")
    with pytest.raises(OciError, match=r"index\.json: invalid JSON: Expecting value"):
        read_layout(tmp_path)


def test_an_image_without_layers_has_no_entry_point(tmp_path: Path) -> None:
    """An image of a config alone does not pass: its entry point does not exist."""
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Entrypoint": ["/bin/run"]},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    documents = {"config.json": config, "manifest.json": [{"Config": "config.json", "Layers": []}]}
    path = tmp_path / "image.tar"
    with tarfile.open(path, "w") as archive:
        for name, value in documents.items():
            (tmp_path / name).write_text(json.dumps(value))
            archive.add(tmp_path / name, name)
    assert [problem.rule for problem in lint(read_archive(path))] == ["entry-point-exists"]


def test_an_archive_without_an_image_is_refused(tmp_path: Path) -> None:
    """A tar of other files raises OciError with what is missing."""
    path = tmp_path / "other.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "notes.txt")
    with pytest.raises(OciError, match=r"neither an index\.json nor a manifest\.json"):
        read_archive(path)


def test_a_scan_can_be_stored_as_json(tmp_path: Path) -> None:
    """A scan that is written to JSON and read back is equal, for valid and broken layers."""
    for number, (_, _, spoil) in enumerate(CORPUS):
        draft = Draft()
        spoil(draft)
        for blob in (draft.write(tmp_path / str(number)) / "blobs" / "sha256").iterdir():
            with blob.open("rb") as file:
                scan = scan_blob(file)
            assert from_document(json.loads(json.dumps(to_document(scan)))) == scan


def test_a_bomb_is_unpacked_in_small_pieces(tmp_path: Path) -> None:
    """A decompression bomb is read in pieces, so that memory stays bounded."""
    import gzip
    import tracemalloc

    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(bytes(200 << 20), 9))
    tracemalloc.start()
    with path.open("rb") as file:
        scan = scan_blob(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scan.unpacked_size == 200 << 20
    assert scan.diff_id == digest(bytes(200 << 20))
    assert peak < 64 << 20
