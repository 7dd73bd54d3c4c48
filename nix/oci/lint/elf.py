"""The dynamic section of an ELF file: what it requires of the image around it, and what it provides.

Field and constant names are those of the ELF specification.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"\x7fELF"
AMD64 = 62
# Far above any valid file. Tables that refer to themselves would never end.
MOST_TAGS, MOST_VERSIONS, MOST_TEXT = 4096, 100_000, 16 << 20

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_STRTAB, DT_SONAME, DT_RPATH, DT_RUNPATH = 1, 5, 14, 15, 29
DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF

# Symbol names of init functions; a program exports those of the modules that are compiled into it.
INIT = re.compile(rb"\0PyInit_([A-Za-z_]\w{0,99})(?=\0)")

HEADER = struct.Struct("<HHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
DYNAMIC = struct.Struct("<qQ")
VERNEED = struct.Struct("<HHIII")
VERNAUX = struct.Struct("<IHHII")
VERDEF = struct.Struct("<HHHHIII")


@dataclass(frozen=True)
class Elf:
    """Values from one file; `requires` has (library, symbol version) pairs, `provides` the versions that it defines.

    `modules` are the Python modules whose init function is in the file: those compiled into an interpreter, or the one
    of an extension. `machine` is 0 if the file is not 64-bit little-endian. `broken`: its tables are invalid.
    """

    machine: int
    interpreter: str | None = None
    soname: str | None = None
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    requires: tuple[tuple[str, str], ...] = ()
    provides: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    broken: bool = False


@dataclass(frozen=True)
class Segment:
    """One program header; `offset` in the file and `size` are in bytes."""

    kind: int
    offset: int
    address: int
    size: int


class ElfReader:
    """A 64-bit little-endian ELF file in memory."""

    def __init__(self, data: bytes) -> None:
        self.data, self._text_left = data, MOST_TEXT
        fields = HEADER.unpack_from(data, 16)
        self.machine = fields[1]
        self.table, size, count = fields[4], fields[8], fields[9]
        self.table_size = size * count
        self.segments = [self._segment(self.table + size * number) for number in range(count)]
        self.tags = list(self._tags())

    def _segment(self, at: int) -> Segment:
        kind, _, offset, address, _, size, _, _ = SEGMENT.unpack_from(self.data, at)
        return Segment(kind, offset, address, size)

    def _tags(self) -> Iterator[tuple[int, int]]:
        for segment in [segment for segment in self.segments if segment.kind == PT_DYNAMIC][:1]:
            size = min(segment.size, MOST_TAGS * DYNAMIC.size)
            for at in range(segment.offset, segment.offset + size, DYNAMIC.size):
                tag, value = DYNAMIC.unpack_from(self.data, at)
                if tag == 0:
                    return
                yield tag, value

    def tag(self, wanted: int) -> int | None:
        """Return the first value of a dynamic tag; None if there is none."""
        return next((value for tag, value in self.tags if tag == wanted), None)

    def locate(self, address: int) -> int:
        """Convert a virtual address to an offset in the file; raises ValueError if no segment contains it."""
        for segment in self.segments:
            if segment.kind == PT_LOAD and segment.address <= address < segment.address + segment.size:
                return address - segment.address + segment.offset
        raise ValueError(f"no segment contains the address {address:#x}")

    def read_text(self, at: int) -> str:
        """Return the string at an offset; raises ValueError once all strings together exceed MOST_TEXT bytes."""
        end = self.data.index(b"\0", at, at + self._text_left)
        self._text_left -= end - at
        return self.data[at:end].decode("utf-8", "surrogateescape")

    def read_strings(self, wanted: int) -> tuple[str, ...]:
        """Return the strings of all dynamic entries with this tag, in order."""
        table = self.tag(DT_STRTAB)
        if table is None:
            return ()
        start = self.locate(table)
        return tuple(self.read_text(start + value) for tag, value in self.tags if tag == wanted)


def parse(data: bytes) -> Elf:
    """Parse an ELF file; never raises for invalid tables (see Elf)."""
    if data[4:6] != b"\x02\x01":
        return Elf(machine=0)
    try:
        view = ElfReader(data)
        return Elf(
            machine=view.machine,
            interpreter=read_interpreter(view),
            soname=next(iter(view.read_strings(DT_SONAME)), None),
            needed=view.read_strings(DT_NEEDED),
            rpath=search_path(view.read_strings(DT_RPATH)),
            runpath=search_path(view.read_strings(DT_RUNPATH)),
            requires=tuple(read_required_versions(view)),
            provides=tuple(read_provided_versions(view)),
            modules=tuple(dict.fromkeys(name.decode() for name in INIT.findall(data))),
        )
    except (struct.error, ValueError, IndexError, OverflowError):
        return Elf(machine=AMD64, broken=True)


def read_interpreter(view: ElfReader) -> str | None:
    """Return the dynamic loader (PT_INTERP) of a program; None for a library."""
    return next((view.read_text(segment.offset) for segment in view.segments if segment.kind == PT_INTERP), None)


def search_path(values: tuple[str, ...]) -> tuple[str, ...]:
    """Split RPATH or RUNPATH values into directories, `$ORIGIN` not yet replaced."""
    return tuple(folder for value in values for folder in value.split(":") if folder)


def read_required_versions(view: ElfReader) -> Iterator[tuple[str, str]]:
    """Yield the (library, symbol version) pairs that this file needs to load, in its order; none without the tables.

    Raises ValueError and struct.error for invalid tables, and ValueError after MOST_VERSIONS pairs: a crafted file's
    offsets may lead in a circle.
    """
    table, count = view.tag(DT_VERNEED), view.tag(DT_VERNEEDNUM)
    strings = view.tag(DT_STRTAB)
    if table is None or count is None or strings is None:
        return
    at, names, remaining = view.locate(table), view.locate(strings), MOST_VERSIONS
    for _ in range(count):
        _, versions, library, first, following = VERNEED.unpack_from(view.data, at)
        aux, remaining = at + first, remaining - versions - 1
        if remaining < 0:
            raise ValueError(f"more than {MOST_VERSIONS} symbol versions")
        for _ in range(versions):
            _, _, _, version, next_aux = VERNAUX.unpack_from(view.data, aux)
            yield view.read_text(names + library), view.read_text(names + version)
            aux += next_aux
        at += following


def read_provided_versions(view: ElfReader) -> Iterator[str]:
    """Yield the symbol versions that this library defines; none without the tables. Raises as the required ones."""
    table, count = view.tag(DT_VERDEF), view.tag(DT_VERDEFNUM)
    strings = view.tag(DT_STRTAB)
    if table is None or count is None or strings is None:
        return
    if count > MOST_VERSIONS:
        raise ValueError(f"more than {MOST_VERSIONS} symbol versions")
    at, names = view.locate(table), view.locate(strings)
    for _ in range(count):
        _, _, _, _, _, first, following = VERDEF.unpack_from(view.data, at)
        (name,) = struct.unpack_from("<I", view.data, at + first)
        yield view.read_text(names + name)
        at += following
