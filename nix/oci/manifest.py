"""Descriptors, the manifest of one image, and the index that names it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oci.config import MEDIA_TYPE as CONFIG_MEDIA_TYPE
from oci.digest import sha256
from oci.layer import LayerRecord

MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX_MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
REFERENCE = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Descriptor:
    """OCI's pointer to a blob: what it is, its digest, its size in bytes."""

    media_type: str
    digest: str
    size: int

    def document(self) -> dict[str, Any]:
        """The descriptor under the standard's own names."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def encode(value: object) -> bytes:
    """JSON whose bytes depend on the value only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def describe(media_type: str, data: bytes) -> Descriptor:
    """The descriptor of a blob whose bytes are `data`."""
    return Descriptor(media_type, sha256(data), len(data))


def manifest(config: bytes, layers: Sequence[LayerRecord]) -> dict[str, Any]:
    """The manifest of an image with the encoded `config` and `layers`."""
    return {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "config": describe(CONFIG_MEDIA_TYPE, config).document(),
        "layers": [Descriptor(LAYER_MEDIA_TYPE, layer.digest, layer.size).document() for layer in layers],
    }


def index(image: Descriptor, tag: str) -> dict[str, Any]:
    """The index of a layout that holds the one `image`, tagged `tag`."""
    named = {**image.document(), "annotations": {REFERENCE: tag}}
    return {"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": [named]}
