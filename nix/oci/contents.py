"""The contents of a layer: entries by path, each with the input it came from, collected before any byte is written.

An entry refers to its bytes instead of holding them, so that a layer of 100 MB needs little memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .exceptions import PathConflict, UnsafePath
from .paths import TASK, parents

FOLDER_MODE = 0o755
FILE_MODE = 0o644
EXECUTABLE_MODE = 0o755
LINK_MODE = 0o777


class Data(Protocol):
    """A file's bytes, read when the layer is written, one file at a time."""

    def read(self) -> bytes | None:
        """Return the bytes; None leaves the file out."""


@dataclass(frozen=True)
class InMemory:
    """Bytes in memory, for files that the assembler generates."""

    value: bytes

    def read(self) -> bytes:
        """Return the bytes."""
        return self.value


@dataclass(frozen=True)
class OnDisk:
    """A file on disk."""

    path: Path

    def read(self) -> bytes:
        """Read the file."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class Folder:
    """A directory."""

    mode: int = FOLDER_MODE


@dataclass(frozen=True)
class Link:
    """A symbolic link; `target` as it is written."""

    target: str
    mode: int = LINK_MODE


@dataclass(frozen=True)
class File:
    """A file; of its mode only the executable bit is kept."""

    data: Data
    executable: bool = False

    @property
    def mode(self) -> int:
        """0755 or 0644."""
        return EXECUTABLE_MODE if self.executable else FILE_MODE


Entry = Folder | Link | File


class Contents:
    """Entries of one layer by path. Paths are relative to the image's root and have no `.` or `..` parts.

    The order in which entries are added does not matter: whatever is read from here is sorted.
    """

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._origins: dict[str, str] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def __getitem__(self, path: str) -> Entry:
        return self._entries[path]

    def add(self, path: str, entry: Entry, origin: str) -> None:
        """Add an entry; `origin` names the input that it came from, for messages and for the sizes of packages.

        Raises PathConflict unless the path is free or both are directories, and UnsafePath as `check_path`.
        """
        check_path(path, origin)
        existing = self._entries.get(path)
        if existing is not None and not (isinstance(existing, Folder) and isinstance(entry, Folder)):
            raise PathConflict(
                f"two inputs write /{path}:\n  {self._origins[path]}\n  {origin}\n"
                "  next: remove one of them from the lock, or exclude the path in nix/oci"
            )
        self._entries[path] = entry
        self._origins[path] = origin

    def replace(self, path: str, entry: Entry) -> None:
        """Replace the entry at `path`, which must exist; its origin stays, so that conflicts name the real input."""
        self._entries[path] = entry

    def find_origin(self, path: str) -> str:
        """Return the input that `path` came from; `assembler` for directories that no input has."""
        return self._origins.get(path, "assembler")

    def list_paths(self) -> list[str]:
        """Return all paths, without implied parents, sorted as bytes."""
        return sorted(self._entries, key=path_key)

    def with_parents(self) -> Iterator[tuple[str, Entry]]:
        """Yield all entries and their parent directories, which Lambda requires, in the order of `layer_key`.

        Raises PathConflict if a parent is not a directory.
        """
        entries = dict(self._entries)
        for path in self._entries:
            for parent in parents(path):
                above = entries.setdefault(parent, Folder())
                if not isinstance(above, Folder):
                    raise PathConflict(f"/{path} ({self.find_origin(path)}): its parent /{parent} is not a directory")
        for path in sorted(entries, key=layer_key):
            yield path, entries[path]


def path_key(path: str) -> bytes:
    """Return the sort key of a path: its bytes, independent of the locale."""
    return path.encode("utf-8", "surrogateescape")


def layer_key(path: str) -> bytes:
    """Return the sort key of a path in a layer: its bytes, but bytecode of the project follows its source.

    gzip finds repetitions within 32 KiB only, and bytecode repeats its source's texts: plexus takes 9 % less. Packages
    of many small modules, such as openai, would take more.
    """
    folder, separator, name = path.rpartition("/__pycache__")
    if not separator or not folder.startswith(f"{TASK}/"):
        return path_key(path)
    # The folder comes first in its parent.
    return path_key(f"{folder}/{name[1:].split('.')[0]}.py\x00{name}" if name else f"{folder}/\x01")


def check_path(path: str, origin: str) -> None:
    """Raise UnsafePath if `path` leaves the image, is read differently by different tools, or is a whiteout."""
    parts = path.split("/")
    if not path or path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise UnsafePath(f"{origin}: got the path {path!r}, expected a relative path without empty, . or .. parts")
    if any(part.startswith(".wh.") for part in parts):
        raise UnsafePath(f"{origin}: got the path {path!r}, a whiteout, which would delete a file of an earlier layer")
