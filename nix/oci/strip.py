"""Shared objects without what no loader reads: symbols for debuggers, and the table that leads to them.

A loader maps segments and never looks at sections, so everything outside the segments can go: from our wheels more than
60 MB. Doing it here, in 20 lines, needs no pinned binutils.
"""

import struct
from dataclasses import dataclass

from oci.contents import Data
from oci.elf import HEADER, MAGIC, View

IDENT_SIZE = 16
HEADER_SIZE = IDENT_SIZE + HEADER.size
# The section header table's offset, and at the end of the ELF header its entry size, count and name table.
TABLE_OFFSET_AT, TABLE_FACTS_AT = 40, 58


@dataclass(frozen=True)
class Stripped:
    """A file of a wheel, stripped when it is read if it is a shared object."""

    source: Data

    def read(self) -> bytes | None:
        """The stripped bytes, or the source's own when it is no 64-bit ELF file."""
        data = self.source.read()
        return stripped(data) if data is not None and data.startswith(MAGIC) else data


def stripped(data: bytes) -> bytes:
    """An ELF file's header and segments at their places, zeros between them; other bytes as they are."""
    try:
        view = View(data)
    except struct.error:
        return data
    if not view.segments:
        return data
    kept = bytearray(max(segment.offset + segment.size for segment in view.segments))
    kept[:HEADER_SIZE] = data[:HEADER_SIZE]
    for offset, size in [(view.table, view.table_size), *((part.offset, part.size) for part in view.segments)]:
        kept[offset : offset + size] = data[offset : offset + size]
    struct.pack_into("<Q", kept, TABLE_OFFSET_AT, 0)
    struct.pack_into("<HHH", kept, TABLE_FACTS_AT, 0, 0, 0)
    return bytes(kept)
