"""Artifacts in S3 under `<prefix><hex>/`, cached in a folder of this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from plexus.artifacts import manifest
from plexus.artifacts.folder import FolderArtifacts
from plexus.artifacts.manifest import Manifest
from plexus.exceptions import ArtifactMissing, InvalidArtifact, ScoringFailed

MAXIMUM_CACHE_BYTES = 300 * 1024 * 1024
#: Seconds for which an artifact stays in the cache after its last use, whatever the size: it may be loading.
GRACE = 120
_ABSENT = ("NoSuchKey", "NoSuchBucket", "404")


class S3Client(Protocol):
    """The part of boto3's S3 client that a store uses."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        """Return an object; its `Body` is a stream."""
        ...

    def head_object(self, *, Bucket: str, Key: str) -> object:
        """Return an object's metadata; raises a client error if it does not exist."""
        ...

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> object:
        """Store an object."""
        ...


class S3Artifacts:
    """A store in an S3 bucket, with a cache of at most `maximum_bytes` below `cache_dir`.

    The manifest is uploaded after the files, so an artifact that can be found is complete. The least recently used
    artifacts leave the cache first.
    """

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        cache_dir: Path | str,
        prefix: str = "artifacts/",
        maximum_bytes: int = MAXIMUM_CACHE_BYTES,
    ) -> None:
        self.client, self.bucket, self.prefix, self.maximum_bytes = client, bucket, prefix, maximum_bytes
        self.cached = FolderArtifacts(Path(cache_dir) / "artifacts")

    def get(self, digest: str) -> Path:
        """Return the artifact's folder in the cache; fetch it if it is missing or damaged there.

        Raises ArtifactMissing if the bucket does not have it, InvalidArtifact if it is damaged there too, and a
        transient ScoringFailed if S3 itself fails.
        """
        try:
            place = self.cached.get(digest)
        except (ArtifactMissing, InvalidArtifact):
            place = self._fetch(digest)
            # After the fetch, and never this one: /tmp of a function is small, but the model is needed now.
            shrink(self.cached.folder, self.maximum_bytes, keep=manifest.get_hex(digest))
        touch(place)
        return place

    def _fetch(self, digest: str) -> Path:
        key = self._key(digest, manifest.NAME)
        try:
            listed = Manifest.parse(self._read(key, digest), digest)
            files = ((entry.path, self._read(self._key(digest, entry.path), digest)) for entry in listed.entries)
            return self.cached.add(listed, files)
        except InvalidArtifact as error:
            raise InvalidArtifact(f"s3://{self.bucket}/{key}: {error}") from None

    def put(self, folder: Path) -> str:
        """Upload a folder's files and return its digest. Idempotent: an artifact that exists is not uploaded again."""
        listed = Manifest.of(folder)
        if not self._has(listed.digest):
            for path, data in _read_files(folder, listed):
                self.client.put_object(Bucket=self.bucket, Key=self._key(listed.digest, path), Body=data)
        return listed.digest

    def _has(self, digest: str) -> bool:
        try:
            self.client.head_object(Bucket=self.bucket, Key=self._key(digest, manifest.NAME))
        except Exception as error:
            if _error_code(error) in _ABSENT:
                return False
            raise
        return True

    def _read(self, key: str, digest: str) -> bytes:
        try:
            data: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except Exception as error:
            if _error_code(error) in _ABSENT:
                raise ArtifactMissing(f"there is no artifact {digest} at s3://{self.bucket}/{key}") from None
            raise ScoringFailed(f"cannot read s3://{self.bucket}/{key}: {error}", transient=True) from error
        return data

    def _key(self, digest: str, path: str) -> str:
        return f"{self.prefix}{manifest.get_hex(digest)}/{path}"


def _read_files(folder: Path, listed: Manifest) -> Iterator[tuple[str, bytes]]:
    for entry in listed.entries:
        yield entry.path, (folder / entry.path).read_bytes()
    yield manifest.NAME, listed.encode()


def _error_code(error: Exception) -> str:
    """Return AWS's error code. botocore, whose exceptions carry the response, is not imported here."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def touch(place: Path) -> None:
    """Mark an artifact as used now."""
    with contextlib.suppress(OSError):
        os.utime(place)


def shrink(folder: Path, maximum_bytes: int, *, keep: str = "") -> list[str]:
    """Remove the least recently used artifacts until the rest fits; return the names of the removed ones.

    The artifact named `keep`, and those used within the last GRACE seconds, are never removed.
    """
    used = sorted((place.stat().st_mtime, _size(place), place) for place in folder.iterdir() if place.is_dir())
    total = sum(size for _, size, _ in used)
    removed = []
    for last_used, size, place in used:
        if total <= maximum_bytes:
            break
        if place.name == keep or time.time() - last_used < GRACE:
            continue
        shutil.rmtree(place, ignore_errors=True)
        removed.append(place.name)
        total -= size
    return removed


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
