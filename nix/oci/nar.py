"""Nix archives (NAR): the canonical serialization of a file, link or directory, and its hash."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from .digest import read_blocks
from .exceptions import UnsafePath


def nar_hash(path: Path, ignored: frozenset[str] = frozenset()) -> str:
    """Return the sha256, in hexadecimal, of the Nix archive of `path`, without entries of the names `ignored`.

    Equals the hash that `nix-store --add-fixed --recursive sha256` computes. It covers names, contents, link targets
    and executable bits; not owners, times and other bits of the mode. Names are ignored at any depth. Raises UnsafePath
    for a FIFO, a socket or a device, and OSError for an entry that cannot be read.
    """
    archive = hashlib.sha256()
    for piece in generate_nar(path, ignored):
        archive.update(piece)
    return archive.hexdigest()


def generate_nar(path: Path, ignored: frozenset[str] = frozenset()) -> Iterator[bytes]:
    """Yield the Nix archive of `path` in pieces of at most 1 MiB."""
    yield encode_words("nix-archive-1")
    yield from generate_node(path, ignored)


def encode_words(*strings: str | bytes) -> bytes:
    """Encode strings: 8-byte little-endian length, bytes, zeros up to a multiple of eight."""
    out = bytearray()
    for string in strings:
        data = string.encode() if isinstance(string, str) else string
        out += len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)
    return bytes(out)


def generate_node(path: Path, ignored: frozenset[str]) -> Iterator[bytes]:
    """Yield the node of one file, link or directory; entries of a directory in the order of their bytes."""
    if path.is_symlink():
        yield encode_words("(", "type", "symlink", "target", os.fsencode(path.readlink()), ")")
    elif path.is_dir():
        yield encode_words("(", "type", "directory")
        for name in sorted({os.fsencode(entry.name) for entry in path.iterdir() if entry.name not in ignored}):
            yield encode_words("entry", "(", "name", name, "node")
            yield from generate_node(path / os.fsdecode(name), ignored)
            yield encode_words(")")
        yield encode_words(")")
    else:
        yield from generate_regular(path)


def generate_regular(path: Path) -> Iterator[bytes]:
    """Yield the node of a regular file; raises UnsafePath for anything else that is no link or directory."""
    if not path.is_file():  # opening a FIFO would wait for its writer
        raise UnsafePath(f"{path}: expected a file, a symbolic link or a directory")
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        executable = ("executable", "") if status.st_mode & 0o100 else ()
        yield encode_words("(", "type", "regular", *executable, "contents")
        yield status.st_size.to_bytes(8, "little")
        yield from read_blocks(file)
        yield bytes(-status.st_size % 8)
    yield encode_words(")")
