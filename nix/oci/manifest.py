"""Descriptors, an image's manifest, and the index of its layout."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import media_types
from .digest import sha256
from .layer import LayerRecord

REFERENCE = "org.opencontainers.image.ref.name"
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'  # the file oci-layout


@dataclass(frozen=True)
class Descriptor:
    """An OCI descriptor: media type, digest and size in bytes of a blob."""

    media_type: str
    digest: str
    size: int

    def to_document(self) -> dict[str, Any]:
        """Return the descriptor as JSON values."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def describe(media_type: str, data: bytes) -> Descriptor:
    """Return the descriptor of a blob with the bytes `data`."""
    return Descriptor(media_type, sha256(data), len(data))


def create_manifest(config: bytes, layers: Sequence[LayerRecord]) -> dict[str, Any]:
    """Return the manifest of an image with this encoded config and these layers, lowest first.

    It has media types of OCI, and no annotations: whatever is in it changes the image's digest.
    """
    return {
        "schemaVersion": 2,
        "mediaType": media_types.MANIFEST,
        "config": describe(media_types.CONFIG, config).to_document(),
        "layers": [Descriptor(media_types.LAYER, layer.digest, layer.size).to_document() for layer in layers],
    }


def create_index(image: Descriptor, tag: str) -> dict[str, Any]:
    """Return the index of a layout with one image, tagged `tag`; the tag is no part of the image's digest."""
    named = {**image.to_document(), "annotations": {REFERENCE: tag}}
    return {"schemaVersion": 2, "mediaType": media_types.INDEX, "manifests": [named]}
