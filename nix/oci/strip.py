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
    kept = bytearray(max(segment.offset + segment.size for segment in view.segments))
    kept[:HEADER_SIZE] = data[:HEADER_SIZE]
    for offset, size in [(view.table, view.table_size), *((part.offset, part.size) for part in view.segments)]:
        kept[offset : offset + size] = data[offset : offset + size]
    struct.pack_into("<Q", kept, TABLE_OFFSET_AT, 0)
    struct.pack_into("<HHH", kept, TABLE_FACTS_AT, 0, 0, 0)
    return bytes(kept)
