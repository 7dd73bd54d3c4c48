"""Artifacts in a folder: `<folder>/<hex>/` holds the files and their manifest."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from plexus.artifacts import manifest
from plexus.artifacts.manifest import Manifest
from plexus.exceptions import ArtifactMissing, InvalidArtifact, naming


class FolderArtifacts:
    """Safe for several processes: an artifact appears by one rename, complete or not at all."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._verified: set[str] = set()

    def __contains__(self, digest: str) -> bool:
        return (self.folder / manifest.hex_of(digest) / manifest.NAME).is_file()

    def get(self, digest: str) -> Path:
        """The artifact's folder; every file is checked against the manifest once per store."""
        place = self.folder / manifest.hex_of(digest)
        try:
            listed = Manifest.parse((place / manifest.NAME).read_bytes(), digest)
            if digest not in self._verified:
                for entry in listed.entries:
                    entry.check((place / entry.path).read_bytes())
                self._verified.add(digest)
        except FileNotFoundError:
            raise ArtifactMissing(f"there is no artifact {digest} in {self.folder}; `plexus train` makes it") from None
        except InvalidArtifact as error:
            raise InvalidArtifact(f"{place}: {error}; `plexus train` makes it anew") from None
        return place

    def put(self, folder: Path) -> str:
        """Keeps a copy of the folder's files."""
        listed = Manifest.of(folder)
        self.add(listed, ((entry.path, (folder / entry.path).read_bytes()) for entry in listed.entries))
        return listed.digest

    def add(self, listed: Manifest, files: Iterable[tuple[str, bytes]]) -> Path:
        """Writes the files of a manifest, each checked, and gives the artifact's folder.

        One that is there stays, unless it is damaged.
        """
        place = self.folder / manifest.hex_of(listed.digest)
        if listed.digest in self:
            with contextlib.suppress(InvalidArtifact, ArtifactMissing):
                return self.get(listed.digest)
            shutil.rmtree(place, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(prefix=".half-", dir=self.folder))
        try:
            with naming(half):
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
        # Another process was faster: its files are the same, for their digest is.
        if not (place / manifest.NAME).is_file():
            raise
