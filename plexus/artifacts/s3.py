"""Artifacts in S3, under `<prefix><hex>/`, cached in a folder of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plexus.artifacts import cache, manifest
from plexus.artifacts.folder import FolderArtifacts
from plexus.artifacts.manifest import Manifest
from plexus.exceptions import ArtifactMissing, InvalidArtifact, ScoringFailed

MAXIMUM_CACHE_BYTES = 300 * 1024 * 1024
_ABSENT = ("NoSuchKey", "NoSuchBucket", "404")


class S3Artifacts:
    """`client` is boto3's S3 client. Files go up before the manifest, so an artifact that can be found is complete.

    The cache keeps at most `maximum_bytes`; the least recently used artifacts go first.
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        cache_dir: Path | str,
        prefix: str = "artifacts/",
        maximum_bytes: int = MAXIMUM_CACHE_BYTES,
    ) -> None:
        self.client, self.bucket, self.prefix, self.maximum_bytes = client, bucket, prefix, maximum_bytes
        self.cached = FolderArtifacts(Path(cache_dir) / "artifacts")

    def get(self, digest: str) -> Path:
        """The cached folder, fetched on first use. A failure of S3 itself is a transient ScoringFailed."""
        try:
            place = self.cached.get(digest)
        except (ArtifactMissing, InvalidArtifact):  # not there, or damaged
            place = self._fetched(digest)
            cache.shrink(self.cached.folder, self.maximum_bytes, keep=manifest.hex_of(digest))
        cache.touch(place)
        return place

    def _fetched(self, digest: str) -> Path:
        key = self._key(digest, manifest.NAME)
        try:
            listed = Manifest.parse(self._read(key, digest), digest)
            files = ((entry.path, self._read(self._key(digest, entry.path), digest)) for entry in listed.entries)
            return self.cached.add(listed, files)
        except InvalidArtifact as error:
            raise InvalidArtifact(f"s3://{self.bucket}/{key}: {error}") from None

    def put(self, folder: Path) -> str:
        """Uploads what is not there yet; putting the same content again uploads nothing."""
        listed = Manifest.of(folder)
        if not self._has(listed.digest):
            for path, data in _files(folder, listed):
                self.client.put_object(Bucket=self.bucket, Key=self._key(listed.digest, path), Body=data)
        return listed.digest

    def _has(self, digest: str) -> bool:
        try:
            self.client.head_object(Bucket=self.bucket, Key=self._key(digest, manifest.NAME))
        except Exception as error:
            if _code(error) in _ABSENT:
                return False
            raise
        return True

    def _read(self, key: str, digest: str) -> bytes:
        try:
            data: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except Exception as error:
            if _code(error) in _ABSENT:
                raise ArtifactMissing(f"there is no artifact {digest} at s3://{self.bucket}/{key}") from None
            raise ScoringFailed(f"cannot read s3://{self.bucket}/{key}: {error}", transient=True) from error
        return data

    def _key(self, digest: str, path: str) -> str:
        return f"{self.prefix}{manifest.hex_of(digest)}/{path}"


def _files(folder: Path, listed: Manifest) -> Iterator[tuple[str, bytes]]:
    for entry in listed.entries:
        yield entry.path, (folder / entry.path).read_bytes()
    yield manifest.NAME, listed.encode()


def _code(error: Exception) -> str:
    """AWS's error code; botocore is not imported here, its exceptions carry the response."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
