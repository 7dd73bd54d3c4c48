"""Open the bytes of a table: a file, a pipe or standard input, compressed or not."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from plexus.exceptions import InvalidData
from plexus.problems import suggest

STANDARD_INPUT = Path("-")
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_OPENERS: dict[str, Callable[[Path], object]] = {"gzip": gzip.GzipFile, "bzip2": bz2.BZ2File, "xz": lzma.LZMAFile}
_SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".z")


def _open_plain(path: Path) -> object:
    return path.open("rb")


@dataclass(frozen=True)
class Source:
    """Bytes that can be read again and again.

    `name` is what messages call them, `path` the file on disk, and `compression` empty or the name of a format.
    """

    name: str
    path: Path
    compression: str = ""

    @property
    def suffix(self) -> str:
        """The suffix that names the format: of `texts.csv.gz`, `.csv`."""
        path = Path(self.name)
        if path.suffix.casefold() in _SUFFIXES:
            path = path.with_suffix("")
        return path.suffix.casefold()

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the decompressed bytes. Raises InvalidData if they are not what their compression says.

        The bytes begin at the start at every call. OSError is raised as it is.
        """
        opener: Callable[[Path], object] = _OPENERS.get(self.compression, _open_plain)
        try:
            with cast(BinaryIO, opener(self.path)) as file:
                yield file
        except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
            raise InvalidData(f"{self.name}: damaged {self.compression} file: {error}") from None

    def read_head(self, size: int = 4096) -> bytes:
        """Return the first bytes."""
        with self.open() as file:
            return file.read(size)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Yield the source at a path; `-` is standard input.

    What cannot be read twice (a pipe, a socket, a terminal) is copied to a temporary file first. Raises InvalidData if
    there is no such file, or it cannot be read.
    """
    try:
        if path == STANDARD_INPUT:
            with _copy("standard input", sys.stdin.buffer) as source:
                yield source
        elif path.is_file():
            yield _recognize(str(path), path)
        elif path.is_dir():
            raise InvalidData(f"{path}: is a folder, expected a file")
        elif not os.path.lexists(path):
            near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise InvalidData(f"{path}: no such file{suggest(path.name, near)}")
        else:
            with path.open("rb") as pipe, _copy(str(path), pipe) as source:
                yield source
    except PermissionError:
        raise InvalidData(f"{path}: permission denied") from None


@contextmanager
def _copy(name: str, stream: BinaryIO) -> Iterator[Source]:
    with tempfile.TemporaryDirectory(prefix="plexus-table-") as folder:
        copy = Path(folder) / "bytes"
        with copy.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield _recognize(name, copy)


def _recognize(name: str, path: Path) -> Source:
    with path.open("rb") as file:
        head = file.read(8)
    return Source(name, path, next((form for magic, form in _COMPRESSED.items() if head.startswith(magic)), ""))


def is_same_file(first: Path, second: Path) -> bool:
    """Return whether two paths lead to one file, by whatever links."""
    with contextlib.suppress(OSError):
        return first.samefile(second)
    return False
