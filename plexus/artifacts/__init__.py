"""Artifacts: trained models and cassettes as content-addressed folders.

An artifact's digest is `sha256:` and the SHA-256 of its manifest, which lists each file with digest and size. So the
same files have the same digest wherever they are, and every byte is checked when it is read into a cache.
"""

from __future__ import annotations

from plexus.artifacts.folder import FolderArtifacts
from plexus.artifacts.manifest import Entry, Manifest
from plexus.artifacts.s3 import S3Artifacts
from plexus.artifacts.store import Artifacts

__all__ = ["Artifacts", "Entry", "FolderArtifacts", "Manifest", "S3Artifacts"]
