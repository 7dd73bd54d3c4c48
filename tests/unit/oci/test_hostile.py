"""Lint on what somebody wrote to break it: an answer in little time and memory, and no file of this machine is read."""

import gzip
import io
import json
import lzma
import struct
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oci import scan as scanning
from oci.archives import archive_image
from oci.digest import sha256
from oci.elf import parse
from oci.exceptions import OciError
from oci.lint import lint
from oci.rules import Limits
from oci.scan import scan_blob
from oci.source import layout_image
from tests.unit.oci.drafts import Draft

DEEP = b"[" * 100_000
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
DYNAMIC_AT, STRINGS_AT, VERSIONS_AT = 1024, 2048, 2064
STRTAB, VERNEED, VERNEEDNUM, NEEDED = 5, 0x6FFFFFFE, 0x6FFFFFFF, 1


def header(kind: bytes, size: int, name: str = "a") -> bytes:
    """A tar header."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def fault(tar: bytes) -> tuple[str, str]:
    """What a scan finds wrong with a tar."""
    found = scan_blob(io.BytesIO(gzip.compress(tar, 1)))
    assert found.fault is not None
    return found.fault


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_name_of_many_megabytes_is_not_read(kind: bytes) -> None:
    """A header that promises a path longer than any system has is a fault of the tar, found without reading it."""
    bomb = header(kind, 64 << 20) + bytes(64 << 20)
    tracemalloc.start()
    told = fault(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told == ("tar", f"its tar has a header of {64 << 20} bytes for names")
    assert peak < 48 << 20


@pytest.mark.parametrize(
    "records", [b"9" * 5000 + b" ", b"0 a=b\n", b"7\xb2 a=b\n", b"999 a=b\n", b"a=b", b"12 size=abc\n"]
)
def test_a_pax_header_that_lies_is_a_fault(records: bytes) -> None:
    """Lengths and sizes that are no numbers, or too large, are told and not computed with."""
    rule, text = fault(header(tarfile.XHDTYPE, len(records)) + records + bytes(-len(records) % 512) + header(b"0", 0))
    assert (rule, "pax header" in text) == ("tar", True)


def test_a_size_in_a_pax_header_counts() -> None:
    """What other readers take for a file's bytes is not taken for the next entries, nor the other way round."""
    record = b"12 size=512\n"
    tar = (
        header(tarfile.XHDTYPE, len(record))
        + record
        + bytes(512 - len(record))
        + header(b"0", 0)
        + header(b"0", 0, "b")
    )
    tar += bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        names = archive.getnames()
    assert [item.path for item in scan_blob(io.BytesIO(gzip.compress(tar))).items] == names == ["a"]


def test_a_bomb_is_given_up_at_lambdas_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to more than any image may is not unpacked further; its blob's digest is taken all the same."""
    monkeypatch.setattr(scanning, "LAMBDA", Limits(unpacked=20 << 20))
    bomb = gzip.compress(bytes(200 << 20), 1)
    found = scan_blob(io.BytesIO(bomb))
    assert found.fault == ("unpacked-size", f"it alone unpacks to more than {20 << 20} bytes")
    assert found.unpacked_size < 40 << 20
    assert found.digest == sha256(bomb)


def elf(tags: list[tuple[int, int]], tables: bytes = b"", dynamics: int = 1, offset: int = DYNAMIC_AT) -> bytes:
    """An ELF file whose one loaded segment is all of it."""
    data = bytearray(64 << 10)
    data[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<HHIQQQIHHHHHH", data, 16, 3, 62, 1, 0, 64, 0, 0, 64, 56, 1 + dynamics, 0, 0, 0)
    struct.pack_into("<IIQQQQQQ", data, 64, 1, 0, 0, 0, 0, len(data), len(data), 0)
    for number in range(1, 1 + dynamics):
        struct.pack_into("<IIQQQQQQ", data, 64 + 56 * number, 2, 0, offset, 0, 0, 1 << 40, 0, 0)
    for number, tag in enumerate([*tags, (0, 0)]):
        struct.pack_into("<qQ", data, DYNAMIC_AT + 16 * number, *tag)
    data[VERSIONS_AT : VERSIONS_AT + len(tables)] = tables
    return bytes(data)


def hostile_files() -> Iterator[tuple[str, bytes]]:
    """ELF files that are not what they say."""
    versions = [(STRTAB, STRINGS_AT), (VERNEED, VERSIONS_AT), (VERNEEDNUM, 1 << 62)]
    yield "versions that follow themselves", elf(versions, struct.pack("<HHIII", 1, 1, 0, 0, 0))
    yield "versions without end", elf(versions, struct.pack("<HHIII", 1, 65535, 0, 0, 1))
    yield "a place beyond all numbers", elf([], offset=(1 << 64) - 5)
    yield "a name without end", elf([(STRTAB, 60_000), (NEEDED, 1 << 63)])


@pytest.mark.parametrize("data", [data for _, data in hostile_files()], ids=[name for name, _ in hostile_files()])
def test_an_elf_file_that_lies_is_broken(data: bytes) -> None:
    """Tables that lead out of the file, or round in it, end in `broken`."""
    assert parse(data).broken


def test_an_elf_file_with_many_tables_is_read_once() -> None:
    """Only the first dynamic table counts, however many name the same bytes."""
    assert parse(elf([(STRTAB, STRINGS_AT), (NEEDED, 0)], dynamics=8)).needed == ("",)


def test_documents_nested_without_end_are_told(tmp_path: Path) -> None:
    """Index, manifest and an archive's index that are nested too deep end in a sentence."""
    layout = Draft().write(tmp_path / "layout")
    index = json.loads((layout / "index.json").read_bytes())
    (layout / "blobs" / index["manifests"][0]["digest"].replace(":", "/")).write_bytes(b'{"layers":' + DEEP)
    assert any("nested too deep" in problem.text for problem in lint(layout_image(layout)))
    (layout / "index.json").write_bytes(DEEP)
    with pytest.raises(OciError, match="nested too deep"):
        layout_image(layout)
    with pytest.raises(OciError, match="nested too deep"):
        archive_image(archive(tmp_path, ("index.json", tarfile.REGTYPE, "", DEEP)))


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    """A manifest that one reader takes for another image than the next is refused."""
    layout = Draft().write(tmp_path / "layout")
    index = json.loads((layout / "index.json").read_bytes())
    path = layout / "blobs" / index["manifests"][0]["digest"].replace(":", "/")
    path.write_bytes(path.read_bytes()[:-1] + b',"layers":[]}')
    assert any("the key 'layers' twice" in problem.text for problem in lint(layout_image(layout)))


def test_a_digest_that_is_a_path_reads_no_file(tmp_path: Path) -> None:
    """What a manifest names in place of a digest is a blob that is not there, whatever file that would be."""
    (tmp_path / "secret").write_text("secret")
    for digest in ("sha256:../../../secret", str(tmp_path / "secret"), "sha256:a\0b"):
        draft = Draft()

        def edit(manifest: dict[str, object], digest: str = digest) -> None:
            manifest["layers"] = [{"mediaType": LAYER_TYPE, "digest": digest, "size": 6}]

        draft.edit_manifest = edit
        problems = lint(layout_image(draft.write(tmp_path / f"layout-{len(digest)}")))
        assert [problem.text for problem in problems if problem.where == f"layer {digest}"] == ["the blob is not there"]


def archive(folder: Path, *members: tuple[str, bytes, str, bytes]) -> Path:
    """A tar of (name, type, link target, bytes)."""
    path = folder / f"archive-{len(list(folder.iterdir()))}.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind, target, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_an_archive_of_links_to_each_other_is_refused(tmp_path: Path) -> None:
    """Links that go round end in a sentence that names the file."""
    round_ = [("index.json", tarfile.SYMTYPE, "b", b""), ("b", tarfile.SYMTYPE, "index.json", b"")]
    with pytest.raises(OciError, match=r"\.tar is no tar archive of an image"):
        archive_image(archive(tmp_path, *round_))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_a_damaged_compressed_archive_is_refused(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Bytes that no decompressor takes end in a sentence, wherever they stand."""
    noise = bytes((number * 7919) % 251 for number in range(100_000))
    whole = pack(archive(tmp_path, ("noise", tarfile.REGTYPE, "", noise)).read_bytes())
    for at in range(12, len(whole) - 12, len(whole) // 12):
        path = tmp_path / "damaged"
        path.write_bytes(whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 8]) + whole[at + 8 :])
        with pytest.raises(OciError):
            archive_image(path)
