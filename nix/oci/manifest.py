"""Descriptors, an image's manifest, and the index of its layout."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .config import MEDIA_TYPE as CONFIG_MEDIA_TYPE
from .digest import sha256
from .layer import LayerRecord

MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX_MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
REFERENCE = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Descriptor:
    """An OCI descriptor: media type, digest and size in bytes of a blob."""

    media_type: str
    digest: str
    size: int

    def document(self) -> dict[str, Any]:
        """Return the descriptor as JSON values."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def describe(media_type: str, data: bytes) -> Descriptor:
    """Return the descriptor of a blob with the bytes `data`."""
    return Descriptor(media_type, sha256(data), len(data))


def manifest(config: bytes, layers: Sequence[LayerRecord]) -> dict[str, Any]:
    """Return the manifest of an image with this encoded config and these layers, lowest first."""
    return {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "config": describe(CONFIG_MEDIA_TYPE, config).document(),
        "layers": [Descriptor(LAYER_MEDIA_TYPE, layer.digest, layer.size).document() for layer in layers],
    }


def index(image: Descriptor, tag: str) -> dict[str, Any]:
    """Return the index of a layout with one image, tagged `tag`."""
    named = {**image.document(), "annotations": {REFERENCE: tag}}
    return {"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": [named]}
