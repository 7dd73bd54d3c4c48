"""The linter on hostile images: bounded time and memory, and no file of the host is read."""

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

from nix.oci.digest import sha256
from nix.oci.exceptions import OciError
from nix.oci.lint import Limits, layer_reader, lint, read_archive, read_layout
from nix.oci.lint.elf import parse
from nix.oci.lint.scan import scan_blob
from tests.unit.oci.drafts import Draft

DEEP = b"[" * 100_000
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
DYNAMIC_AT, STRINGS_AT, VERSIONS_AT = 1024, 2048, 2064
STRTAB, VERNEED, VERNEEDNUM, NEEDED = 5, 0x6FFFFFFE, 0x6FFFFFFF, 1


def header(kind: bytes, size: int, name: str = "a") -> bytes:
    """Return a tar header."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def fault(tar: bytes) -> tuple[str, str]:
    """Return the fault that a scan finds in a tar."""
    result = scan_blob(io.BytesIO(gzip.compress(tar, 1)))
    assert result.fault is not None
    return result.fault


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_name_of_many_megabytes_is_not_read(kind: bytes) -> None:
    """A name header larger than any path is a fault, found without reading its content."""
    bomb = header(kind, 64 << 20) + bytes(64 << 20)
    tracemalloc.start()
    result = fault(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result == ("tar", f"its tar has a name header of {64 << 20} bytes, expected at most {1 << 20}")
    assert peak < 48 << 20


@pytest.mark.parametrize(
    "records", [b"9" * 5000 + b" ", b"0 a=b\n", b"7\xb2 a=b\n", b"999 a=b\n", b"a=b", b"12 size=abc\n"]
)
def test_an_invalid_pax_header_is_a_fault(records: bytes) -> None:
    """Lengths and sizes in pax headers that are not numbers, or too large, are faults."""
    rule, text = fault(header(tarfile.XHDTYPE, len(records)) + records + bytes(-len(records) % 512) + header(b"0", 0))
    assert (rule, "pax header" in text) == ("tar", True)


def test_a_size_in_a_pax_header_counts() -> None:
    """A size in a pax header overrides the tar header's, as in other readers."""
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
    assert [entry.path for entry in scan_blob(io.BytesIO(gzip.compress(tar))).entries] == names == ["a"]


def test_a_decompression_bomb_is_abandoned_at_lambdas_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decompression stops at Lambda's size limit; the blob's digest is computed nevertheless."""
    monkeypatch.setattr(layer_reader, "LAMBDA", Limits(unpacked=20 << 20))
    bomb = gzip.compress(bytes(200 << 20), 1)
    result = scan_blob(io.BytesIO(bomb))
    assert result.fault == ("unpacked-size", f"this layer alone unpacks to more than {20 << 20} bytes")
    assert result.unpacked_size < 40 << 20
    assert result.digest == sha256(bomb)


def elf(tags: list[tuple[int, int]], tables: bytes = b"", dynamics: int = 1, offset: int = DYNAMIC_AT) -> bytes:
    """Return an ELF file with one segment that spans the whole file."""
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
    """ELF files with contradictory tables."""
    versions = [(STRTAB, STRINGS_AT), (VERNEED, VERSIONS_AT), (VERNEEDNUM, 1 << 62)]
    yield "versions that follow themselves", elf(versions, struct.pack("<HHIII", 1, 1, 0, 0, 0))
    yield "versions without end", elf(versions, struct.pack("<HHIII", 1, 65535, 0, 0, 1))
    yield "a place beyond all numbers", elf([], offset=(1 << 64) - 5)
    yield "a name without end", elf([(STRTAB, 60_000), (NEEDED, 1 << 63)])


@pytest.mark.parametrize("data", [data for _, data in hostile_files()], ids=[name for name, _ in hostile_files()])
def test_an_elf_file_with_contradictory_tables_is_broken(data: bytes) -> None:
    """An ELF file whose tables are cyclic or lead out of it is `broken`."""
    assert parse(data).broken


def test_an_elf_file_with_many_tables_is_read_once() -> None:
    """Only the first dynamic table is read, however many there are."""
    assert parse(elf([(STRTAB, STRINGS_AT), (NEEDED, 0)], dynamics=8)).needed == ("",)


def test_deeply_nested_documents_are_reported(tmp_path: Path) -> None:
    """Documents nested beyond the interpreter's limit are reported, not raised as RecursionError."""
    layout = Draft().write(tmp_path / "layout")
    index = json.loads((layout / "index.json").read_bytes())
    (layout / "blobs" / index["manifests"][0]["digest"].replace(":", "/")).write_bytes(b'{"layers":' + DEEP)
    assert any("nested too deep" in problem.text for problem in lint(read_layout(layout)))
    (layout / "index.json").write_bytes(DEEP)
    with pytest.raises(OciError, match="nested too deep"):
        read_layout(layout)
    with pytest.raises(OciError, match="nested too deep"):
        read_archive(archive(tmp_path, ("index.json", tarfile.REGTYPE, "", DEEP)))


def test_a_repeated_key_is_reported(tmp_path: Path) -> None:
    """A repeated key, which readers resolve differently, is a problem."""
    layout = Draft().write(tmp_path / "layout")
    index = json.loads((layout / "index.json").read_bytes())
    path = layout / "blobs" / index["manifests"][0]["digest"].replace(":", "/")
    path.write_bytes(path.read_bytes()[:-1] + b',"layers":[]}')
    assert any("the key 'layers' twice" in problem.text for problem in lint(read_layout(layout)))


def test_a_digest_that_is_a_path_reads_no_file(tmp_path: Path) -> None:
    """A path in place of a digest is a missing blob, even if a file of that path exists."""
    (tmp_path / "secret").write_text("secret")
    for digest in ("sha256:../../../secret", str(tmp_path / "secret"), "sha256:a\0b"):
        draft = Draft()

        def edit(manifest: dict[str, object], digest: str = digest) -> None:
            manifest["layers"] = [{"mediaType": LAYER_TYPE, "digest": digest, "size": 6}]

        draft.edit_manifest = edit
        problems = lint(read_layout(draft.write(tmp_path / f"layout-{len(digest)}")))
        assert [problem.text for problem in problems if problem.where == f"layer {digest}"] == [
            "the blob does not exist"
        ]


def archive(folder: Path, *members: tuple[str, bytes, str, bytes]) -> Path:
    """Return a tar of (name, type, link target, bytes)."""
    path = folder / f"archive-{len(list(folder.iterdir()))}.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind, target, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_an_archive_of_links_to_each_other_is_refused(tmp_path: Path) -> None:
    """An archive with cyclic links raises OciError with the file's name."""
    round_ = [("index.json", tarfile.SYMTYPE, "b", b""), ("b", tarfile.SYMTYPE, "index.json", b"")]
    with pytest.raises(OciError, match=r"not a tar archive of an image: .*\.tar"):
        read_archive(archive(tmp_path, *round_))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_a_damaged_compressed_archive_is_refused(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Damage anywhere in a compressed archive raises OciError."""
    noise = bytes((number * 7919) % 251 for number in range(100_000))
    whole = pack(archive(tmp_path, ("noise", tarfile.REGTYPE, "", noise)).read_bytes())
    for at in range(12, len(whole) - 12, len(whole) // 12):
        path = tmp_path / "damaged"
        path.write_bytes(whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 8]) + whole[at + 8 :])
        with pytest.raises(OciError):
            read_archive(path)
