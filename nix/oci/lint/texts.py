"""The small files of an image that decide how others are found, and which Python modules are parsed."""

import posixpath
import re
import struct
from collections.abc import Callable

from .module import ModuleNames, read_module, skim_module

SCRIPT = "#!"
TEXT_LIMIT = 64 << 10
LOADER_CACHE, MUSL_PATH = "etc/ld.so.cache", "etc/ld-musl-x86_64.path"
SHELL_LINE = re.compile(r"#!.*\b(?:sh|bash|dash|ash|busybox)\b")
LIBRARY = re.compile(r"(?:^|/)(?:site-packages|dist-packages|lib(?:64)?/python3(?:\.\d+t?)?)/")
CLIENT_FOLDER = "/awslambdaric/"

# glibc's ld.so.cache: a header of 48 bytes, then entries of 24 with offsets of key and value from the header's begin.
CACHE_MAGIC = b"glibc-ld.so.cache1.1"
CACHE_HEADER, CACHE_ENTRY = struct.Struct("<20sII20x"), struct.Struct("<iIIIQ")


def is_telling(path: str, start: bytes) -> bool:
    """Return whether extract_text() reads the whole file at `path`, which begins with the bytes `start`."""
    return (
        start.startswith(SCRIPT.encode())
        or path in (LOADER_CACHE, MUSL_PATH)
        or path.endswith((".pth", ".pyc", "/pyvenv.cfg"))
    )


def extract_text(path: str, data: bytes) -> str:
    """Return what later checks need of a file.

    Of a shell script and of .pth and pyvenv.cfg that is their text, of other scripts the first line, of ld.so.cache a
    line `library path` for each entry, of a .pyc beside no source its magic number.
    """
    if path == LOADER_CACHE:
        return "\n".join(f"{library} {place}" for library, place in read_cached_libraries(data))
    if path.endswith(".pyc"):
        return "" if "__pycache__/" in path or len(data) < 4 else str(int.from_bytes(data[:2], "little"))
    if not is_telling(path, data):
        return ""
    text = data.decode("utf-8", "surrogateescape")
    first = text.partition("\n")[0]
    return first if text.startswith(SCRIPT) and not SHELL_LINE.match(first) else text


def read_cached_libraries(data: bytes) -> list[tuple[str, str]]:
    """Return (name, path) of the libraries in an ld.so.cache; [] if it is not one."""
    begin = data.find(CACHE_MAGIC)
    try:
        _, count, _ = CACHE_HEADER.unpack_from(data, begin)
        libraries = []
        for number in range(min(count, len(data) // CACHE_ENTRY.size)):
            _, key, value, _, _ = CACHE_ENTRY.unpack_from(data, begin + CACHE_HEADER.size + number * CACHE_ENTRY.size)
            libraries.append((_string(data, begin + key), _string(data, begin + value)))
        return libraries if begin >= 0 else []
    except (struct.error, ValueError):
        return []


def _string(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode("utf-8", "surrogateescape")


def choose_reader(path: str) -> Callable[[bytes], ModuleNames] | None:
    """Return how to read the module at `path`: parsed, searched for what hides names, or not at all.

    A distribution has thousands of modules, and parsing them all takes longer than everything else together.
    """
    matches = list(LIBRARY.finditer(path))
    if not matches or CLIENT_FOLDER in path:
        return read_module
    inside = path[matches[-1].end() :]
    return skim_module if "/" not in inside or posixpath.basename(inside) == "__init__.py" else None
