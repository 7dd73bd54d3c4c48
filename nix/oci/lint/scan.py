"""Read a layer of unknown origin: blob → gzip → tar → the facts of each entry that the rules need.

Deliberately not the inverse of the assembler's layer.py: no header, digest or name is trusted, and a fault ends up in
the scan instead of an exception. Memory stays bounded, whatever sizes the headers claim.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from .elf import MAGIC, Elf, parse
from .layer_reader import LayerReader, UnreadableLayer
from .module import ModuleNames
from .texts import SCRIPT, TEXT_LIMIT, choose_reader, extract_text, is_telling

TAR_BLOCK = 512
EXTENDING = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE)
KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "link",
    tarfile.LNKTYPE: "hard link",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "fifo",
    tarfile.GNUTYPE_SPARSE: "sparse file",
}
# Larger files are not parsed: no handler has a module of 1 MiB, and no library a size of 1 GiB.
MODULE_LIMIT, ELF_LIMIT = 1 << 20, 1 << 30
NAMES_LIMIT = 1 << 20  # for a header that holds a long name; PATH_MAX is 4 KiB
DIGITS = 9  # in the length of a pax record


class LayerEntry(NamedTuple):
    """One entry of a layer; `size` in bytes, `target` of a link as written.

    `kind` is file, folder, link, hard link, a device, fifo or unknown. `text` is what small files say that decide how
    others are found (see texts.py). `module` is what a Python module binds, `elf` the dynamic section of an ELF file.
    A tuple, because an image has 20,000 entries.
    """

    path: str
    kind: str
    mode: int
    size: int = 0
    target: str = ""
    text: str = ""
    elf: Elf | None = None
    module: ModuleNames | None = None

    @property
    def is_script(self) -> bool:
        """Return whether the kernel starts this file through the interpreter in its first line."""
        return self.text.startswith(SCRIPT)


@dataclass(frozen=True)
class Scan:
    """The contents of a layer's blob, with digests and sizes in bytes as measured.

    `fault` is (rule, text) if the blob cannot be read to its end; `entries` then has those before the fault. `closed`
    is whether the tar's last file is padded and its end is marked, as the format requires.
    """

    digest: str
    size: int
    diff_id: str
    unpacked_size: int
    entries: tuple[LayerEntry, ...]
    fault: tuple[str, str] | None = None
    closed: bool = True


def scan_blob(file: BinaryIO, *, packed: bool = True) -> Scan:
    """Scan a layer's blob to its end: gzip if `packed`, else an uncompressed tar. A fault is returned, not raised."""
    reader = LayerReader(file, packed=packed)
    scanned: list[LayerEntry] = []
    fault: tuple[str, str] | None = None
    try:
        scanned.extend(read_entries(reader))
        reader.drain()
    except UnreadableLayer as problem:
        fault = (problem.rule, str(problem))
        reader.drain_raw()
    closed = reader.closed or fault is not None
    return Scan(reader.digest, reader.size, reader.diff_id, reader.unpacked_size, tuple(scanned), fault, closed)


def read_entries(reader: LayerReader) -> Iterator[LayerEntry]:
    """Yield the entries of the tar; raises UnreadableLayer if it is truncated or a header is invalid."""
    more: dict[str, str] = {}
    while (info := read_header(reader)) is not None:
        if info.type in EXTENDING:
            if info.size > NAMES_LIMIT:
                raise UnreadableLayer(
                    "tar", f"its tar has a name header of {info.size} bytes, expected at most {NAMES_LIMIT}"
                )
            more |= parse_extensions(info, read_exactly(reader, info.size, -info.size % TAR_BLOCK))
            continue
        info.name, info.linkname = more.get("path", info.name), more.get("linkpath", info.linkname)
        if "GNU.sparse.name" in more:  # its own name is made up
            info.name, info.type = more["GNU.sparse.name"], tarfile.GNUTYPE_SPARSE
        if "size" in more:  # the header's field holds at most 8 GiB
            info.size = parse_number(more["size"])
        more = {}
        yield read_entry(info, reader, info.size + -info.size % TAR_BLOCK if info.isreg() else 0)


def read_header(reader: LayerReader) -> tarfile.TarInfo | None:
    """Return the next header; None at the end of the archive. Raises UnreadableLayer for an invalid one.

    A tar that ends without a block of zeros is read all the same, as readers do, and is not `closed`.
    """
    block = reader.read(TAR_BLOCK)
    if not block or block == bytes(TAR_BLOCK):
        reader.closed = reader.closed and bool(block)
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as problem:
        raise UnreadableLayer(
            "tar", f"its tar has an invalid header before byte {reader.unpacked_size}: {problem}"
        ) from problem
    if info.size < 0:
        raise UnreadableLayer("tar", f"its tar has a file of size {info.size}")
    return info


def read_exactly(reader: LayerReader, count: int, padding: int = 0) -> bytes:
    """Return exactly `count` bytes, and skip the padding after them if the writer wrote it.

    Raises UnreadableLayer if the tar ends within the bytes.
    """
    data = reader.read(count)
    require_all(reader, len(data) + reader.skip(padding), count, padding)
    return data


def skip(reader: LayerReader, count: int, padding: int) -> None:
    """Skip `count` bytes and their padding; raises UnreadableLayer if the tar ends within the bytes."""
    require_all(reader, reader.skip(count + padding), count, padding)


def require_all(reader: LayerReader, got: int, count: int, padding: int) -> None:
    """Raise UnreadableLayer if the tar ends within `count` bytes; if it ends within the padding it is not `closed`."""
    if got < count:
        raise UnreadableLayer("tar", f"its tar is truncated: {count - got} bytes are missing")
    reader.closed = reader.closed and got == count + padding


def parse_extensions(info: tarfile.TarInfo, data: bytes) -> dict[str, str]:
    """Parse a GNU long name or pax header into values for the next header, under the names that pax gives them.

    A global pax header gives none: git's has only a comment. Raises UnreadableLayer as `parse_pax_records`.
    """
    text = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": text}
    if info.type == tarfile.GNUTYPE_LONGLINK:
        return {"linkpath": text}
    return {} if info.type == tarfile.XGLTYPE else dict(parse_pax_records(data))


def parse_pax_records(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield (key, value) for each `length key=value` record of a pax header; raises UnreadableLayer for another.

    The length counts its own digits, in bytes.
    """
    at, end = 0, len(data.rstrip(b"\0"))
    while at < end:
        space = data.find(b" ", at, at + DIGITS + 1)
        length = parse_number(data[at:space].decode("latin-1")) if space > at else 0
        if not 0 < length <= len(data) - at:
            raise UnreadableLayer("tar", "its tar has an invalid pax header")
        record = data[space + 1 : at + length - 1].decode("utf-8", "surrogateescape")
        key, _, value = record.partition("=")
        yield key, value
        at += length


def parse_number(text: str) -> int:
    """Parse a decimal number in a pax header; raises UnreadableLayer. int() would take signs, spaces and `_` too."""
    if not (text.isascii() and text.isdigit() and len(text) <= 2 * DIGITS):
        raise UnreadableLayer("tar", f"its tar has a pax header with the number {text[:40]!r}")
    return int(text)


def read_entry(info: tarfile.TarInfo, reader: LayerReader, padded: int) -> LayerEntry:
    """Read one entry, and parse its content if it is an ELF file, a module or a telling text."""
    kind = KINDS.get(info.type, f"entry of type {info.type!r}")
    path = info.name.removeprefix("./").rstrip("/") if info.name not in (".", "./") else ""
    size = info.size if padded else 0
    start = read_exactly(reader, min(size, TAR_BLOCK))
    rest, padding = size - len(start), padded - size
    elf: Elf | None = None
    module: ModuleNames | None = None
    text = ""
    if start.startswith(MAGIC) and size <= ELF_LIMIT:
        elf = parse(start + read_exactly(reader, rest, padding))
    elif path.endswith(".py") and size <= MODULE_LIMIT and (read := choose_reader(path)) is not None:
        data = start + read_exactly(reader, rest, padding)
        module, text = read(data), extract_text(path, data)
    elif size <= TEXT_LIMIT and is_telling(path, start):
        text = extract_text(path, start + read_exactly(reader, rest, padding))
    else:
        text = extract_text(path, start) if start.startswith(SCRIPT.encode()) else ""
        skip(reader, rest, padding)
    return LayerEntry(path, kind, info.mode, size, info.linkname, text, elf, module)
