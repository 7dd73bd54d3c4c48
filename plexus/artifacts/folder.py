"""The interface of artifact stores, and a store in a folder: `<folder>/<hex>/` holds the files and their manifest."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from plexus.artifacts import manifest
from plexus.artifacts.manifest import Manifest
from plexus.exceptions import ArtifactMissing, InvalidArtifact, attach_filename


class Artifacts(Protocol):
    """A store of artifacts, addressed by digest (`sha256:` and 64 hex digits)."""

    def get(self, digest: str) -> Path:
        """Return the artifact's folder on this machine, verified. Raises ArtifactMissing or InvalidArtifact."""
        ...

    def put(self, folder: Path) -> str:
        """Store a copy of the folder's files and return its digest. Idempotent: equal content is stored once."""
        ...


class FolderArtifacts:
    """A store in a folder of this machine.

    Safe for several processes: an artifact appears by one rename, complete or not at all.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._verified: set[str] = set()

    def __contains__(self, digest: str) -> bool:
        return (self.folder / manifest.get_hex(digest) / manifest.NAME).is_file()

    def get(self, digest: str) -> Path:
        """Return the artifact's folder; its files are verified against the manifest once per store object.

        Raises ArtifactMissing if it, or one of its files, does not exist, and InvalidArtifact if it is damaged.
        """
        place = self.folder / manifest.get_hex(digest)
        try:
            listed = Manifest.parse((place / manifest.NAME).read_bytes(), digest)
            # Hashing every file at each use would be slow.
            if digest not in self._verified:
                for entry in listed.entries:
                    entry.check((place / entry.path).read_bytes())
                self._verified.add(digest)
        except FileNotFoundError:
            raise ArtifactMissing(
                f"there is no artifact {digest} in {self.folder}. next: plexus train, or --store FOLDER"
            ) from None
        except InvalidArtifact as error:
            raise InvalidArtifact(f"{place}: {error}. next: plexus train") from None
        return place

    def put(self, folder: Path) -> str:
        """Store a copy of the folder's files and return its digest. Idempotent."""
        listed = Manifest.of(folder)
        self.add(listed, ((entry.path, (folder / entry.path).read_bytes()) for entry in listed.entries))
        return listed.digest

    def add(self, listed: Manifest, files: Iterable[tuple[str, bytes]]) -> Path:
        """Store (path, content) pairs under a manifest and return the artifact's folder.

        Each file is verified while it is written: raises InvalidArtifact for the first that does not match. An
        artifact that exists is kept, unless it is damaged; then it is replaced.
        """
        place = self.folder / manifest.get_hex(listed.digest)
        if listed.digest in self:
            with contextlib.suppress(InvalidArtifact, ArtifactMissing):
                return self.get(listed.digest)
            shutil.rmtree(place, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        # In the same folder, so that the rename stays within one file system.
        half = Path(tempfile.mkdtemp(prefix=".half-", dir=self.folder))
        try:
            with attach_filename(half):
                _write(half, listed, files)
                _publish(half, place)
        finally:
            shutil.rmtree(half, ignore_errors=True)
        return place


def _write(half: Path, listed: Manifest, files: Iterable[tuple[str, bytes]]) -> None:
    entries = {entry.path: entry for entry in listed.entries}
    for path, data in files:
        entries[path].check(data)
        (half / path).parent.mkdir(parents=True, exist_ok=True)
        (half / path).write_bytes(data)
    (half / manifest.NAME).write_bytes(listed.encode())
    half.chmod(0o755)


def _publish(half: Path, place: Path) -> None:
    try:
        half.rename(place)
    except OSError:
        # Another process was faster; its files have the same digest, so they are the same.
        if not (place / manifest.NAME).is_file():
            raise
