"""Lint on what nobody would write on purpose: it tells, and never breaks."""

import json
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oci.archives import archive_image
from oci.exceptions import OciError
from oci.lint import lint
from oci.scan import scan_blob
from oci.scan_file import from_document, to_document
from oci.source import layout_image
from tests.unit.oci.corpus import CORPUS
from tests.unit.oci.drafts import Draft, digest

CHANCE = st.randoms(use_true_random=False)
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.just([]), st.just([1]), st.just({})
)


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inner:
        yield (*here, key)
        yield from places(held, (*here, key))


def changed(value: Any, way: tuple[Any, ...], put: Any) -> None:
    """Put something at the end of a way."""
    for step in way[:-1]:
        value = value[step]
    value[way[-1]] = put


@settings(max_examples=150, deadline=None)
@given(which=st.sampled_from(["edit_config", "edit_manifest", "edit_index"]), chance=CHANCE, put=ANYTHING)
def test_any_document_gets_an_answer(
    which: str, chance: random.Random, put: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever value stands in whatever place of index, manifest or config, lint ends in a list of problems."""
    draft = Draft()

    def edit(document: dict[str, Any]) -> None:
        changed(document, chance.choice(list(places(document))), put)

    setattr(draft, which, edit)
    assert isinstance(lint(layout_image(draft.write(tmp_path_factory.mktemp("odd")))), list)


@settings(max_examples=150, deadline=None)
@given(chance=CHANCE)
def test_any_bytes_get_an_answer(chance: random.Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever bytes a layer's tar holds, lint ends in a list of problems."""

    def spoil(data: bytes) -> bytes:
        spoiled = bytearray(data)
        for _ in range(chance.randint(1, 30)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        return bytes(spoiled)

    draft = Draft(edit_tar=spoil)
    assert isinstance(lint(layout_image(draft.write(tmp_path_factory.mktemp("odd")))), list)


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b\x08 no gzip"], ids=["empty", "text", "gzip"])
def test_a_file_that_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    """A file of another kind ends in one sentence that names it."""
    path = tmp_path / "image.tar"
    path.write_bytes(content)
    with pytest.raises(OciError, match=r"image\.tar"):
        archive_image(path)


def test_a_file_that_is_no_archive_is_named_in_one_line(tmp_path: Path) -> None:
    """What each decompressor says of it helps nobody."""
    path = tmp_path / "notes.txt"
    path.write_text("no archive at all\n" * 100)
    with pytest.raises(OciError, match=r"notes\.txt is no tar archive of an image: .*[^:]\Z") as told:
        archive_image(path)
    assert "\n" not in str(told.value)


def test_an_archive_without_an_image_is_refused(tmp_path: Path) -> None:
    """A tar of other files is named as what it is not."""
    path = tmp_path / "other.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "notes.txt")
    with pytest.raises(OciError, match=r"neither an index\.json nor a manifest\.json"):
        archive_image(path)


def test_a_scan_survives_its_document(tmp_path: Path) -> None:
    """What the cache keeps of a scan is all of it, for sound and for broken layers."""
    for number, (_, _, spoil) in enumerate(CORPUS):
        draft = Draft()
        spoil(draft)
        for blob in (draft.write(tmp_path / str(number)) / "blobs" / "sha256").iterdir():
            with blob.open("rb") as file:
                scan = scan_blob(file)
            assert from_document(json.loads(json.dumps(to_document(scan)))) == scan


def test_a_bomb_is_unpacked_in_small_pieces(tmp_path: Path) -> None:
    """A megabyte of gzip that stands for a gigabyte of zeros never fills the memory: it is read in pieces."""
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
