"""The last built image: an OCI image layout on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nix.assembly.output import locate_unfinished_mark
from nix.oci.config import REVISION
from nix.oci.digest import DIGEST

from ..console.errors import NotFound, OperationFailed, Refused
from ..console.text import shorten_digest
from . import ROOT, git

LAYOUT = ROOT / "build" / "image"
ARTIFACTS = ROOT / "build" / "artifacts"  # where `plexus train` stores models and cassettes


@dataclass(frozen=True)
class Blob:
    """A descriptor and the file with its bytes; `size` in bytes."""

    media_type: str
    digest: str
    size: int
    path: Path


@dataclass(frozen=True)
class LocalImage:
    """The single image of a layout: its manifest, and every blob that the manifest names."""

    digest: str
    media_type: str
    manifest: bytes
    config: Blob
    layers: tuple[Blob, ...]
    revision: str

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """The config and the layers, without duplicates."""
        return tuple({blob.digest: blob for blob in (self.config, *self.layers)}.values())

    @property
    def size(self) -> int:
        """The size of all blobs in bytes."""
        return sum(blob.size for blob in self.blobs)


def find_local_image(layout: Path | None = None) -> LocalImage | None:
    """Return the image of a layout folder (default: build/image), or None if it does not exist."""
    layout = layout or LAYOUT
    return read_image(layout) if (layout / "index.json").is_file() else None


def read_local_image(layout: Path | None = None) -> LocalImage:
    """Return the image of a layout folder (default: build/image) if it is the last build's.

    Raises NotFound if there is none, and Refused if the last build failed: the folder then has an earlier image.
    """
    image = find_local_image(layout)
    if image is None:
        raise NotFound("no image has been built yet", "make build")
    require_finished(layout or LAYOUT)
    return image


def require_finished(layout: Path) -> None:
    """Raise Refused if the layout has an earlier build's image, because the last build failed or has not ended.

    Every build leaves a mark beside the layout when it begins, and removes it when it has succeeded.
    """
    if not locate_unfinished_mark(layout).exists():
        return
    name, image = layout.relative_to(ROOT) if layout.is_relative_to(ROOT) else layout, read_image(layout)
    what = f"image {shorten_digest(image.digest)}, commit {git.shorten_revision(image.revision)}"
    raise Refused(
        f"{name}: got an earlier build's {what}, expected the last build's, which failed or has not ended",
        f"make build; to deploy the earlier one, once pushed: make deploy DIGEST={image.digest}",
    )


def read_image(layout: Path) -> LocalImage:
    """Return the single image of a layout; OperationFailed if there is not exactly one, or a blob is incomplete."""
    try:
        return _read(layout)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{layout} is not an OCI image layout: {type(error).__name__}: {error}"
        raise OperationFailed(problem, "make clean build") from None


def _read(layout: Path) -> LocalImage:
    manifests = json.loads((layout / "index.json").read_bytes())["manifests"]
    if len(manifests) != 1:
        raise OperationFailed(f"{layout}: got {len(manifests)} images, expected 1", "make build")
    manifest = _blob(layout, manifests[0])
    text = manifest.path.read_bytes() if manifest.path.is_file() else b""
    if len(text) != manifest.size:
        raise _incomplete(manifest, len(text))
    document = json.loads(text)
    image = LocalImage(
        digest=manifest.digest,
        media_type=manifest.media_type,
        manifest=text,
        config=_blob(layout, document["config"]),
        layers=tuple(_blob(layout, layer) for layer in document["layers"]),
        revision=git.UNKNOWN,
    )
    for blob in image.blobs:
        size = blob.path.stat().st_size if blob.path.is_file() else 0
        if size != blob.size:
            raise _incomplete(blob, size)
    labels = json.loads(image.config.path.read_bytes()).get("config", {}).get("Labels") or {}
    return replace(image, revision=labels.get(REVISION, git.UNKNOWN))


def _blob(layout: Path, descriptor: dict[str, Any]) -> Blob:
    if not DIGEST.fullmatch(descriptor["digest"]):
        raise ValueError(f"got {descriptor['digest']!r}, expected a digest")
    algorithm, _, value = descriptor["digest"].partition(":")
    path = layout / "blobs" / algorithm / value
    return Blob(descriptor["mediaType"], descriptor["digest"], int(descriptor["size"]), path)


def _incomplete(blob: Blob, size: int) -> OperationFailed:
    return OperationFailed(f"{blob.path}: got {size} bytes, expected {blob.size}", "make clean build")
