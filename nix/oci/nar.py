"""Nix archives: one canonical sequence of bytes for a file, link or folder, and its hash."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from oci.digest import blocks


def nar_hash(path: Path, ignored: frozenset[str] = frozenset()) -> str:
    """The sha256, in hexadecimal, of the Nix archive of `path`, less entries of the names `ignored`.

    The same as `nix-store --add-fixed --recursive sha256` takes of it: names, contents, link targets and 'executable'.
    """
    archive = hashlib.sha256()
    for piece in nar(path, ignored):
        archive.update(piece)
    return archive.hexdigest()


def nar(path: Path, ignored: frozenset[str] = frozenset()) -> Iterator[bytes]:
    """The Nix archive of `path` in pieces of at most 1 MiB."""
    yield words("nix-archive-1")
    yield from node(path, ignored)


def words(*strings: str | bytes) -> bytes:
    """Strings as a Nix archive holds them: length, bytes, padding to a multiple of eight."""
    out = bytearray()
    for string in strings:
        data = string.encode() if isinstance(string, str) else string
        out += len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)
    return bytes(out)


def node(path: Path, ignored: frozenset[str]) -> Iterator[bytes]:
    """One file, link or folder of a Nix archive."""
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
    """A file of a Nix archive."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        executable = ("executable", "") if status.st_mode & 0o100 else ()
        yield words("(", "type", "regular", *executable, "contents")
        yield status.st_size.to_bytes(8, "little")
        yield from blocks(file)
        yield bytes(-status.st_size % 8)
    yield words(")")
