"""ELF files of a few hundred bytes: no code, but valid tables."""

import struct
from collections.abc import Sequence

NEEDED, STRTAB, STRSZ, SONAME, RPATH, RUNPATH = 1, 5, 10, 14, 15, 29
VERDEF, VERDEFNUM, VERNEED, VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
AMD64, ARM64 = 62, 183
TABLES_AT = 64 + 3 * 56


class Strings:
    """A string table that returns offsets."""

    def __init__(self) -> None:
        self.data = b"\0"

    def at(self, text: str) -> int:
        """Return the offset of `text`, which is added."""
        offset = len(self.data)
        self.data += text.encode() + b"\0"
        return offset


def elf(
    needed: Sequence[str] = (),
    *,
    soname: str = "",
    rpath: str = "",
    runpath: str = "",
    interpreter: str = "",
    requires: Sequence[tuple[str, str]] = (),
    provides: Sequence[str] = (),
    machine: int = AMD64,
) -> bytes:
    """Return a shared object, or a program if it has an interpreter, with these dynamic entries."""
    strings = Strings()
    tags = [(NEEDED, strings.at(name)) for name in needed]
    tags += [(tag, strings.at(text)) for tag, text in ((SONAME, soname), (RPATH, rpath), (RUNPATH, runpath)) if text]
    need = b"".join(
        struct.pack("<HHIII", 1, 1, strings.at(library), 16, 32 if number + 1 < len(requires) else 0)
        + struct.pack("<IHHII", 0, 0, 2, strings.at(version), 0)
        for number, (library, version) in enumerate(requires)
    )
    define = b"".join(
        struct.pack("<HHHHIII", 1, 0, number + 1, 1, 0, 20, 28 if number + 1 < len(provides) else 0)
        + struct.pack("<II", strings.at(version), 0)
        for number, version in enumerate(provides)
    )
    loader_at = strings.at(interpreter)
    return assemble(strings.data, tags, need, len(requires), define, len(provides), loader_at, interpreter, machine)


def assemble(
    strings: bytes,
    tags: list[tuple[int, int]],
    need: bytes,
    need_count: int,
    define: bytes,
    define_count: int,
    loader_at: int,
    interpreter: str,
    machine: int,
) -> bytes:
    """Return the file: header, three segments, strings, version tables, dynamic entries; addresses are offsets."""
    need_at = TABLES_AT + len(strings)
    define_at = need_at + len(need)
    dynamic_at = define_at + len(define)
    tags = [*tags, (STRTAB, TABLES_AT), (STRSZ, len(strings))]
    tags += [(VERNEED, need_at), (VERNEEDNUM, need_count)] if need_count else []
    tags += [(VERDEF, define_at), (VERDEFNUM, define_count)] if define_count else []
    dynamic = b"".join(struct.pack("<qQ", *tag) for tag in [*tags, (0, 0)])
    size = dynamic_at + len(dynamic)
    segments = segment(1, 0, size) + segment(2, dynamic_at, len(dynamic))
    segments += segment(3, TABLES_AT + loader_at, len(interpreter) + 1) if interpreter else segment(0, 0, 0)
    header = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    )
    return header + segments + strings + need + define + dynamic


def segment(kind: int, offset: int, size: int) -> bytes:
    """Return a program header whose address is its offset."""
    return struct.pack("<IIQQQQQQ", kind, 5, offset, offset, offset, size, size, 8)
