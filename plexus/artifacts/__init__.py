"""Artifacts: trained models and cassettes, as content-addressed folders.

An artifact's digest is `sha256:` and the SHA-256 of its manifest, which lists each file with its digest and size. So
equal files have the same digest in every store, and every byte is verified when it is read into a cache.
"""

from __future__ import annotations

from plexus.artifacts.folder import Artifacts, FolderArtifacts
from plexus.artifacts.manifest import Entry, Manifest
from plexus.artifacts.s3 import S3Artifacts

__all__ = ["Artifacts", "Entry", "FolderArtifacts", "Manifest", "S3Artifacts"]
