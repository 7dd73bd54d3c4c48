"""What every store of artifacts can do."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Artifacts(Protocol):
    """A place that keeps artifacts by digest."""

    def get(self, digest: str) -> Path:
        """The artifact's folder on this machine, verified. Raises ArtifactMissing or InvalidArtifact."""
        ...

    def put(self, folder: Path) -> str:
        """Keeps a copy of the folder and gives its digest; putting the same content again changes nothing."""
        ...
