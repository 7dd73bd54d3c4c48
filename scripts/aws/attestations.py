"""Signed statements beside an image in its repository: OCI artifacts whose subject is the image, which stays as it is.

Each is found under a tag made of the image's digest and the signing key: registries without the referrers API work, and
tags are never moved, so that immutable ones work too. Registries with that API list them as referrers as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from nix.oci.config import encode
from nix.oci.digest import encoded, sha256
from nix.oci.manifest import describe
from nix.oci.media_types import EMPTY, EMPTY_DATA, MANIFEST

from ..checkout.layout import Blob, LocalImage
from ..console.errors import NotFound
from .registry import Registry

ENVELOPE = "application/vnd.dsse.envelope.v1+json"
LARGEST = 1 << 20  # bytes of an envelope; ours has about 1,500


def tag_of(digest: str, key: str) -> str:
    """Return the tag of the statement that the key `key` signed about an image."""
    return f"{digest.replace(':', '-')}.{key}"


def put(registry: Registry, digest: str, key: str, envelope: bytes) -> str:
    """Store an envelope beside an image, and return the artifact's digest; NotFound if the image is not there."""
    media_type, image = registry.manifest(digest)
    with TemporaryDirectory() as work:
        config, layer = _blob(Path(work), EMPTY, EMPTY_DATA), _blob(Path(work), ENVELOPE, envelope)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": ENVELOPE,
            "config": describe(EMPTY, EMPTY_DATA).document(),
            "layers": [describe(ENVELOPE, envelope).document()],
            "subject": {"mediaType": media_type, "digest": digest, "size": len(image)},
        }
        data = encode(manifest)
        for blob in (config, layer):
            registry.upload(blob)
        artifact = LocalImage(sha256(data), MANIFEST, data, config, (layer,), "")
        return registry.put_manifest(artifact, tag_of(digest, key))


def get(registry: Registry, digest: str, key: str) -> bytes | None:
    """Return the envelope that `key` signed about an image, its bytes as the artifact's digest says; None if absent."""
    try:
        _, data = registry.manifest(tag_of(digest, key))
        (layer,) = json.loads(data)["layers"]
        with registry.blob(layer["digest"]) as file:
            envelope = file.read(LARGEST)
    except (NotFound, ValueError, KeyError, TypeError):
        return None
    return envelope if sha256(envelope) == layer["digest"] else None


def _blob(work: Path, media_type: str, data: bytes) -> Blob:
    digest = sha256(data)
    path = work / encoded(digest)
    path.write_bytes(data)
    return Blob(media_type, digest, len(data), path)
