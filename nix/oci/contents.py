"""What a layer holds: entries by path, each with the input that it came from, collected before any byte is written.

An entry knows where its bytes are, not the bytes, so that a layer of 100 MB needs little memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from oci.exceptions import PathConflict, UnsafePath

FOLDER_MODE = 0o755
FILE_MODE = 0o644
EXECUTABLE_MODE = 0o755
LINK_MODE = 0o777


class Data(Protocol):
    """Bytes that are read when the layer is written, one file at a time."""

    def read(self) -> bytes | None:
        """The bytes; None when there are none after all."""


@dataclass(frozen=True)
class Held:
    """Bytes in memory, for what the assembler itself writes."""

    value: bytes

    def read(self) -> bytes:
        """The bytes."""
        return self.value


@dataclass(frozen=True)
class OnDisk:
    """A file of the root or the app."""

    path: Path

    def read(self) -> bytes:
        """What the file holds."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class Folder:
    """A folder of the image."""

    mode: int = FOLDER_MODE


@dataclass(frozen=True)
class Link:
    """A symbolic link and its target, as text."""

    target: str
    mode: int = LINK_MODE


@dataclass(frozen=True)
class File:
    """A file; its mode says no more than whether anybody may execute it."""

    data: Data
    executable: bool = False

    @property
    def mode(self) -> int:
        """0755 or 0644."""
        return EXECUTABLE_MODE if self.executable else FILE_MODE


Entry = Folder | Link | File


class Contents:
    """Entries of one layer by path; a path is relative to the image's root and has no `.` or `..` in it."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._origins: dict[str, str] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def __getitem__(self, path: str) -> Entry:
        return self._entries[path]

    def add(self, path: str, entry: Entry, origin: str) -> None:
        """Put `entry` at `path`. PathConflict when another input has put anything but a folder there."""
        check_path(path, origin)
        held = self._entries.get(path)
        if held is not None and not (isinstance(held, Folder) and isinstance(entry, Folder)):
            raise PathConflict(
                f"two inputs write /{path}\n  {self._origins[path]}\n  {origin}\n"
                "  An image cannot hold both: drop one of them from the lock, or exclude the path in nix/oci."
            )
        self._entries[path] = entry
        self._origins[path] = origin

    def replace(self, path: str, entry: Entry) -> None:
        """Put `entry` in place of what is at `path`; it comes from the same input."""
        self._entries[path] = entry

    def origin(self, path: str) -> str:
        """The input that `path` came from; the assembler itself for folders that no input names."""
        return self._origins.get(path, "assembler")

    def paths(self) -> list[str]:
        """Every path that an input or the assembler has named, sorted as bytes."""
        return sorted(self._entries, key=path_key)

    def with_parents(self) -> Iterator[tuple[str, Entry]]:
        """All entries sorted as bytes, with every parent folder: Lambda refuses a layer that leaves one out."""
        entries = dict(self._entries)
        for path in self._entries:
            for parent in parents(path):
                above = entries.setdefault(parent, Folder())
                if not isinstance(above, Folder):
                    raise PathConflict(f"/{path} ({self.origin(path)}) lies below /{parent}, which is no folder")
        for path in sorted(entries, key=path_key):
            yield path, entries[path]


def path_key(path: str) -> bytes:
    """The sort key of a path: its bytes, so that no locale decides."""
    return path.encode("utf-8", "surrogateescape")


def parents(path: str) -> Iterator[str]:
    """The folders above `path`, from the innermost to the outermost."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def check_path(path: str, origin: str) -> None:
    """UnsafePath when `path` could leave the image or means different things to different readers."""
    parts = path.split("/")
    if not path or path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise UnsafePath(f"{origin} holds the path {path!r}, which may not be in an image")
    if any(part.startswith(".wh.") for part in parts):
        raise UnsafePath(f"{origin} holds the path {path!r}, which would delete a file of an earlier layer")
