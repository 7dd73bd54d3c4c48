"""Reads a layer as anybody could have written it: blob → gzip → tar → what lint needs to know of each entry.

It is on purpose not the reverse of layer.py: it trusts no header, digest or name, and notes faults instead of raising.
"""

import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from oci.digest import ALGORITHM, BLOCK
from oci.elf import MAGIC, Elf, parse
from oci.module import module_facts
from oci.places import TASK
from oci.rules import LAMBDA

TAR_BLOCK = 512
UNPACKED_AT_ONCE = 8 << 20
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
}
# A module of the function is small, and no library is this big; anything above is not looked into.
MODULE_LIMIT, ELF_LIMIT = 1 << 20, 1 << 30
NAMES_LIMIT = 1 << 20  # of a header of long names: a path has 4 kB at most
DIGITS = 9  # of a pax record's length


class Item(NamedTuple):
    """One entry of a layer; a tuple, since an image has 20,000.

    `names` and `imports` are what a module below the task's folder binds and imports.
    """

    path: str
    kind: str
    mode: int
    size: int = 0
    target: str = ""
    script: bool = False
    elf: Elf | None = None
    names: tuple[str, ...] | None = None
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scan:
    """A layer as it really is; `fault` is (rule, text) when it could not be read to its end.

    `closed` says whether the tar's last file is padded and the end is marked, as the format asks.
    """

    digest: str
    size: int
    diff_id: str
    unpacked_size: int
    items: tuple[Item, ...]
    fault: tuple[str, str] | None = None
    closed: bool = True


class Fault(Exception):
    """When a blob cannot be read on; carries the rule that it breaks."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


class Plain:
    """The tar inside a blob: unpacks while it is read, and takes both digests and sizes."""

    def __init__(self, file: BinaryIO, *, packed: bool) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None
        self._buffer = bytearray()
        self._packed = b""  # read and not unpacked yet
        self._ended = False
        self._raw, self._plain = hashlib.sha256(), hashlib.sha256()
        self.size = self.unpacked_size = 0
        self.closed = True

    @property
    def digest(self) -> str:
        """Digest of the blob's bytes that were read so far."""
        return ALGORITHM + self._raw.hexdigest()

    @property
    def diff_id(self) -> str:
        """Digest of the tar's bytes that were unpacked so far."""
        return ALGORITHM + self._plain.hexdigest()

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end only."""
        while len(self._buffer) < count and not self._ended:
            self._fill()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def skip(self, count: int) -> int:
        """Read over `count` bytes; how many there were."""
        left = count
        while left and (self._buffer or not self._ended):
            if not self._buffer:
                self._fill()
            step = min(left, len(self._buffer))
            del self._buffer[:step]
            left -= step
        return count - left

    def drain(self) -> None:
        """Read to the end of the blob, so that digests and sizes are those of the whole."""
        while self.skip(BLOCK):
            pass
        while block := self._file.read(BLOCK):
            self._take(block)

    def _take(self, block: bytes) -> None:
        self._raw.update(block)
        self.size += len(block)

    def _fill(self) -> None:
        if not self._packed:
            self._packed = self._file.read(BLOCK)
            self._take(self._packed)
        if self._unpacker is None:
            self._ended = not self._packed
            self._give(self._packed)
            self._packed = b""
        elif self._packed:
            self._inflate(self._unpacker)
        else:
            self._ended = True
            if not self._unpacker.eof:
                raise Fault("gzip", "its gzip ends in the middle")

    def _inflate(self, unpacker: "zlib._Decompress") -> None:
        """Unpack a part of what was read: a megabyte of gzip may stand for a gigabyte of zeros."""
        if unpacker.eof:
            unpacker = self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)  # another member follows
        try:
            self._give(unpacker.decompress(self._packed, UNPACKED_AT_ONCE))
        except zlib.error as problem:
            self._ended = True
            raise Fault("gzip", f"its gzip cannot be read after {self.unpacked_size} bytes: {problem}") from problem
        self._packed = unpacker.unconsumed_tail or unpacker.unused_data

    def _give(self, plain: bytes) -> None:
        self._plain.update(plain)
        self.unpacked_size += len(plain)
        if self.unpacked_size > LAMBDA.unpacked:  # a bomb has no end worth waiting for
            self._ended = True
            raise Fault("unpacked-size", f"it alone unpacks to more than {LAMBDA.unpacked} bytes")
        self._buffer += plain


def scan_blob(file: BinaryIO, *, packed: bool = True) -> Scan:
    """Read a layer's blob to its end; `packed` says whether it is gzip or a plain tar."""
    plain = Plain(file, packed=packed)
    items: list[Item] = []
    fault: tuple[str, str] | None = None
    try:
        items.extend(entries(plain))
        plain.drain()
    except Fault as problem:
        fault = (problem.rule, str(problem))
        for block in iter(lambda: file.read(BLOCK), b""):
            plain._take(block)
    closed = plain.closed or fault is not None
    return Scan(plain.digest, plain.size, plain.diff_id, plain.unpacked_size, tuple(items), fault, closed)


def entries(plain: Plain) -> Iterator[Item]:
    """Every entry of the tar; Fault when the tar breaks off or a header is no header."""
    more: dict[str, str] = {}
    while (info := next_header(plain)) is not None:
        if info.type in EXTENDING:
            if info.size > NAMES_LIMIT:
                raise Fault("tar", f"its tar has a header of {info.size} bytes for names")
            more |= extensions(info, whole(plain, info.size, -info.size % TAR_BLOCK))
            continue
        info.name, info.linkname = more.get("path", info.name), more.get("linkpath", info.linkname)
        if "size" in more:  # of files that a header's field cannot hold
            info.size = number(more["size"])
        more = {}
        yield item(info, plain, info.size + -info.size % TAR_BLOCK if info.isreg() else 0)


def next_header(plain: Plain) -> tarfile.TarInfo | None:
    """The next header; None at the end of the archive."""
    block = plain.read(TAR_BLOCK)
    if not block or block == bytes(TAR_BLOCK):
        plain.closed = plain.closed and bool(block)
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as problem:
        raise Fault("tar", f"its tar has no valid header before byte {plain.unpacked_size}: {problem}") from problem
    if info.size < 0:
        raise Fault("tar", f"its tar has a file of {info.size} bytes")
    return info


def whole(plain: Plain, count: int, padding: int = 0) -> bytes:
    """Exactly `count` bytes, and the padding after them where the writer did not forget it."""
    data = plain.read(count + padding)
    require_all(plain, len(data), count, padding)
    return data[:count]


def skip(plain: Plain, count: int, padding: int) -> None:
    """The same, for bytes that nobody looks at."""
    require_all(plain, plain.skip(count + padding), count, padding)


def require_all(plain: Plain, got: int, count: int, padding: int) -> None:
    """Fault when the tar ends within `count` bytes; it is not closed when it ends within the padding."""
    if got < count:
        raise Fault("tar", f"its tar ends {count - got} bytes too early")
    plain.closed = plain.closed and got == count + padding


def extensions(info: tarfile.TarInfo, data: bytes) -> dict[str, str]:
    """What GNU's long names or pax records say of the header that follows, under pax's names."""
    text = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": text}
    if info.type == tarfile.GNUTYPE_LONGLINK:
        return {"linkpath": text}
    return {} if info.type == tarfile.XGLTYPE else dict(pax_records(data))


def pax_records(data: bytes) -> Iterator[tuple[str, str]]:
    """The `length key=value` records of a pax header."""
    at, end = 0, len(data.rstrip(b"\0"))
    while at < end:
        space = data.find(b" ", at, at + DIGITS + 1)
        length = number(data[at:space].decode("latin-1")) if space > at else 0
        if not 0 < length <= len(data) - at:
            raise Fault("tar", "its tar has a pax header that cannot be read")
        record = data[space + 1 : at + length - 1].decode("utf-8", "surrogateescape")
        key, _, value = record.partition("=")
        yield key, value
        at += length


def number(text: str) -> int:
    """A decimal number of a pax header."""
    if not (text.isascii() and text.isdigit() and len(text) <= 2 * DIGITS):
        raise Fault("tar", f"its tar has a pax header with the number {text[:40]!r}")
    return int(text)


def item(info: tarfile.TarInfo, plain: Plain, padded: int) -> Item:
    """One entry, with what its bytes say."""
    kind = KINDS.get(info.type, f"entry of type {info.type!r}")
    path = info.name.removeprefix("./").rstrip("/") if info.name not in (".", "./") else ""
    size = info.size if padded else 0
    start = whole(plain, min(size, TAR_BLOCK))
    rest, padding = size - len(start), padded - size
    elf, names = None, None
    imports: tuple[str, ...] = ()
    if start.startswith(MAGIC) and size <= ELF_LIMIT:
        elf = parse(start + whole(plain, rest, padding))
    elif path.endswith(".py") and path.startswith(TASK + "/") and info.size <= MODULE_LIMIT:
        names, imports = module_facts(start + whole(plain, rest, padding))
    else:
        skip(plain, rest, padding)
    script = start.startswith(b"#!")
    return Item(path, kind, info.mode, size, info.linkname, script, elf, names, imports)
