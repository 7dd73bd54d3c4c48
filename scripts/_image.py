"""The image that was built last: an OCI image layout on disk."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._aws import ROOT
from ._errors import NotFound, OperationFailed

LAYOUT = ROOT / "build" / "image"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Blob:
    """A descriptor, with the file that holds its bytes."""

    media_type: str
    digest: str
    size: int
    path: Path


@dataclass(frozen=True)
class LocalImage:
    """An image layout's only image: its manifest, and every blob that the manifest names."""

    digest: str
    media_type: str
    manifest: bytes
    config: Blob
    layers: tuple[Blob, ...]
    revision: str

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """The config and the layers, each digest once."""
        return tuple({blob.digest: blob for blob in (self.config, *self.layers)}.values())

    @property
    def size(self) -> int:
        """Bytes of all blobs."""
        return sum(blob.size for blob in self.blobs)


def find_local_image(layout: Path | None = None) -> LocalImage | None:
    """Return the image in a layout folder, or None when nothing was built."""
    layout = layout or LAYOUT
    return read_image(layout) if (layout / "index.json").is_file() else None


def local_image(layout: Path | None = None) -> LocalImage:
    """Return the image in a layout folder; NotFound when nothing was built."""
    image = find_local_image(layout)
    if image is None:
        raise NotFound("no image has been built yet", "make build")
    return image


def read_image(layout: Path) -> LocalImage:
    """Return the one image of a layout; OperationFailed when it holds another number or something is not whole."""
    try:
        return _read(layout)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{layout} is no OCI image layout: {type(error).__name__}: {error}"
        raise OperationFailed(problem, "make clean build") from None


def _read(layout: Path) -> LocalImage:
    manifests = json.loads((layout / "index.json").read_bytes())["manifests"]
    if len(manifests) != 1:
        raise OperationFailed(f"{layout} holds {len(manifests)} images: exactly 1 is expected", "make build")
    manifest = _blob(layout, manifests[0])
    text = manifest.path.read_bytes() if manifest.path.is_file() else b""
    if len(text) != manifest.size:
        raise _torn(manifest, len(text))
    document = json.loads(text)
    image = LocalImage(
        digest=manifest.digest,
        media_type=manifest.media_type,
        manifest=text,
        config=_blob(layout, document["config"]),
        layers=tuple(_blob(layout, layer) for layer in document["layers"]),
        revision="unknown",
    )
    for blob in image.blobs:
        size = blob.path.stat().st_size if blob.path.is_file() else 0
        if size != blob.size:
            raise _torn(blob, size)
    labels = json.loads(image.config.path.read_bytes()).get("config", {}).get("Labels") or {}
    return LocalImage(**{**image.__dict__, "revision": labels.get("org.opencontainers.image.revision", "unknown")})


def _blob(layout: Path, descriptor: dict[str, Any]) -> Blob:
    if not DIGEST.fullmatch(descriptor["digest"]):
        raise ValueError(f"{descriptor['digest']!r} is no digest")
    algorithm, _, value = descriptor["digest"].partition(":")
    path = layout / "blobs" / algorithm / value
    return Blob(descriptor["mediaType"], descriptor["digest"], int(descriptor["size"]), path)


def _torn(blob: Blob, size: int) -> OperationFailed:
    return OperationFailed(f"{blob.path} is {size} bytes: {blob.size} are expected", "make clean build")
