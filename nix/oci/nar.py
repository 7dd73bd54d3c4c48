"""Nix archives (NAR): the canonical serialization of a file, link or directory, and its hash."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from .digest import blocks
from .exceptions import UnsafePath


def nar_hash(path: Path, ignored: frozenset[str] = frozenset()) -> str:
    """Return the sha256, in hexadecimal, of the Nix archive of `path`, without entries of the names `ignored`.

    Equals the hash that `nix-store --add-fixed --recursive sha256` computes. It covers names, contents, link targets
    and executable bits.
    """
    archive = hashlib.sha256()
    for piece in nar(path, ignored):
        archive.update(piece)
    return archive.hexdigest()


def nar(path: Path, ignored: frozenset[str] = frozenset()) -> Iterator[bytes]:
    """Yield the Nix archive of `path` in pieces of at most 1 MiB."""
    yield words("nix-archive-1")
    yield from node(path, ignored)


def words(*strings: str | bytes) -> bytes:
    """Encode strings: 8-byte little-endian length, bytes, zeros up to a multiple of eight."""
    out = bytearray()
    for string in strings:
        data = string.encode() if isinstance(string, str) else string
        out += len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)
    return bytes(out)


def node(path: Path, ignored: frozenset[str]) -> Iterator[bytes]:
    """Yield the node of one file, link or directory."""
    if path.is_symlink():
        yield words("(", "type", "symlink", "target", os.fsencode(path.readlink()), ")")
    elif path.is_dir():
        yield words("(", "type", "directory")
        for name in sorted({os.fsencode(entry.name) for entry in path.iterdir() if entry.name not in ignored}):
            yield words("entry", "(", "name", name, "node")
            yield from node(path / os.fsdecode(name), ignored)
            yield words(")")
        yield words(")")
    else:
        yield from regular(path)


def regular(path: Path) -> Iterator[bytes]:
    """Yield the node of a regular file."""
    if not path.is_file():  # opening a FIFO would wait for its writer
        raise UnsafePath(f"{path}: expected a file, a symbolic link or a directory")
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        executable = ("executable", "") if status.st_mode & 0o100 else ()
        yield words("(", "type", "regular", *executable, "contents")
        yield status.st_size.to_bytes(8, "little")
        yield from blocks(file)
        yield bytes(-status.st_size % 8)
    yield words(")")
