"""Strip shared objects: drop debugging symbols and the section table.

The dynamic loader maps segments and never reads sections, so that everything outside the segments can be dropped: more
than 60 MB of the image's wheels. These 20 lines avoid a pinned binutils.
"""

import struct
from dataclasses import dataclass

from .contents import Data
from .lint.elf import HEADER, MAGIC, ElfReader

IDENT_SIZE = 16
HEADER_SIZE = IDENT_SIZE + HEADER.size
# The section header table's offset; and its entry size, count and name index at the end of the ELF header.
TABLE_OFFSET_AT, TABLE_FACTS_AT = 40, 58


@dataclass(frozen=True)
class StrippedFile:
    """A file of a wheel, stripped when it is read."""

    source: Data

    def read(self) -> bytes | None:
        """Return the stripped bytes; those of the source if it is not an ELF file."""
        data = self.source.read()
        return strip_elf(data) if data is not None and data.startswith(MAGIC) else data


def strip_elf(data: bytes) -> bytes:
    """Return an ELF file with only its header and segments, at their offsets; other data unchanged.

    Idempotent. The result is what the loader maps; debuggers and linkers, which read sections, cannot use it.
    """
    try:
        view = ElfReader(data)
    except struct.error:
        return data
    if not view.segments:
        return data
    header = bytearray(data[:HEADER_SIZE])
    struct.pack_into("<Q", header, TABLE_OFFSET_AT, 0)
    struct.pack_into("<HHH", header, TABLE_FACTS_AT, 0, 0, 0)
    # Views, and one join: numpy and scipy have a library of 25 MB each, and every copy counts.
    pieces: list[bytes | bytearray | memoryview] = [header]
    end = len(header)
    for offset, size in sorted([(view.table, view.table_size), *((part.offset, part.size) for part in view.segments)]):
        if offset + size > end:
            pieces += [bytes(max(0, offset - end)), memoryview(data)[max(offset, end) : offset + size]]
            end = offset + size
    return b"".join(pieces)
