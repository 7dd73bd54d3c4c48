"""The manifest of an artifact: the list of its files. Its digest is the artifact's digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypedDict

from plexus.exceptions import InvalidArtifact
from plexus.text import encode_canonical

NAME = "manifest.json"
FORMAT = 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, order=True)
class Entry:
    """A file: its path inside the artifact (POSIX), its digest (`sha256:…`) and its size in bytes."""

    path: str
    digest: str
    size: int

    def check(self, data: bytes) -> None:
        """Raise InvalidArtifact unless the bytes have this entry's digest and size."""
        if len(data) != self.size or compute_digest(data) != self.digest:
            got = f"{compute_digest(data)} ({len(data)} bytes)"
            raise InvalidArtifact(f"{self.path}: got {got}, expected {self.digest} ({self.size} bytes)")


@dataclass(frozen=True)
class Manifest:
    """The files of an artifact, sorted by path."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, folder: Path) -> Manifest:
        """Create the manifest of a folder's files, subfolders included; a `manifest.json` in it is ignored."""
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
        return cls.from_files((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files)

    @classmethod
    def from_files(cls, files: Iterable[tuple[str, bytes]]) -> Manifest:
        """Create the manifest of (path, content) pairs in any order."""
        return cls(tuple(sorted(Entry(path, compute_digest(data), len(data)) for path, data in files)))

    @classmethod
    def parse(cls, data: bytes, expected: str) -> Manifest:
        """Parse an encoded manifest.

        Raises InvalidArtifact for another digest than the expected one, an unsupported format, or a path outside.
        """
        if compute_digest(data) != expected:
            raise InvalidArtifact(f"the manifest has the wrong digest: got {compute_digest(data)}, expected {expected}")
        try:
            content = json.loads(data)
            if content["format"] != FORMAT:
                raise InvalidArtifact(f"unsupported artifact format: got {content['format']}, expected {FORMAT}")
            return cls(tuple(_parse_entry(file) for file in content["files"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidArtifact(f"the manifest is damaged: {type(error).__name__}") from None

    def encode(self) -> bytes:
        """Return the canonical bytes that are stored; their digest is the artifact's."""
        files = [{"path": each.path, "digest": each.digest, "size": each.size} for each in self.entries]
        return encode_canonical({"format": FORMAT, "files": files})

    @property
    def digest(self) -> str:
        """The artifact's digest, `sha256:` and 64 hex digits."""
        return compute_digest(self.encode())


def compute_digest(data: bytes) -> str:
    """Return the digest of bytes: `sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def is_digest(text: str) -> bool:
    """Return whether a text is `sha256:` and 64 lower-case hex digits."""
    return _DIGEST.fullmatch(text) is not None


def get_hex(digest: str) -> str:
    """Return a digest's 64 hex digits, which name folders and keys. Raises InvalidArtifact if it is not a digest."""
    if not is_digest(digest):
        raise InvalidArtifact(f"not a digest: got {digest!r}, expected sha256: and 64 hex digits")
    return digest.removeprefix("sha256:")


class _File(TypedDict):
    path: str
    digest: str
    size: int


def _parse_entry(value: _File) -> Entry:
    # `./x` and `a//x` are refused too: one file must have one spelling, or equal content could have two digests.
    path = PurePosixPath(value["path"])
    if path.is_absolute() or ".." in path.parts or str(path) != value["path"]:
        raise InvalidArtifact(f"the manifest names a path outside the artifact: {value['path']!r}")
    return Entry(value["path"], value["digest"], value["size"])
