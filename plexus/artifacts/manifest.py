"""The list of an artifact's files, whose digest is the artifact's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from plexus.exceptions import InvalidArtifact
from plexus.text import canonical_json

NAME = "manifest.json"
FORMAT = 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, order=True)
class Entry:
    """One file: its path inside the artifact, its digest (`sha256:…`) and its size in bytes."""

    path: str
    digest: str
    size: int

    def check(self, data: bytes) -> None:
        """Raises InvalidArtifact when the bytes are not the ones that the manifest names."""
        if len(data) != self.size or digest_of(data) != self.digest:
            raise InvalidArtifact(
                f"{self.path}: expected {self.digest} ({self.size} bytes), got {digest_of(data)} ({len(data)} bytes)"
            )


@dataclass(frozen=True)
class Manifest:
    """All files of an artifact, sorted by path."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, folder: Path) -> Manifest:
        """The manifest of the files in a folder."""
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
        return cls.from_files((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files)

    @classmethod
    def from_files(cls, files: Iterable[tuple[str, bytes]]) -> Manifest:
        """The manifest of (path, content) pairs."""
        return cls(tuple(sorted(Entry(path, digest_of(data), len(data)) for path, data in files)))

    @classmethod
    def parse(cls, data: bytes, expected: str) -> Manifest:
        """The manifest in `data`, whose digest must be the expected one. Raises InvalidArtifact."""
        if digest_of(data) != expected:
            raise InvalidArtifact(f"the artifact's manifest has the digest {digest_of(data)}, expected {expected}")
        try:
            content = json.loads(data)
            if content["format"] != FORMAT:
                raise InvalidArtifact(f"the artifact has the format {content['format']}, this engine reads {FORMAT}")
            return cls(tuple(_entry(each) for each in content["files"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidArtifact(f"the artifact's manifest is damaged: {type(error).__name__}") from None

    def encode(self) -> bytes:
        """The bytes that are stored, and whose digest names the artifact."""
        files = [{"path": each.path, "digest": each.digest, "size": each.size} for each in self.entries]
        return canonical_json({"format": FORMAT, "files": files})

    @property
    def digest(self) -> str:
        """The artifact's digest."""
        return digest_of(self.encode())


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def is_digest(text: str) -> bool:
    """Whether it is `sha256:` and 64 hex digits."""
    return _DIGEST.fullmatch(text) is not None


def hex_of(digest: str) -> str:
    """The 64 hex digits, which name folders and keys. Raises InvalidArtifact for anything else."""
    if not is_digest(digest):
        raise InvalidArtifact(f"not an artifact's digest: {digest!r}; expected sha256: and 64 hex digits")
    return digest.removeprefix("sha256:")


def _entry(value: dict[str, Any]) -> Entry:
    path = PurePosixPath(value["path"])
    if path.is_absolute() or ".." in path.parts or str(path) != value["path"]:
        raise InvalidArtifact(f"the artifact's manifest names a path outside of it: {value['path']!r}")
    return Entry(value["path"], value["digest"], value["size"])
