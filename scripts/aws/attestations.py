"""Documents beside an image in its repository: OCI artifacts whose subject is the image, which stays as it is.

They are the signed statements, and the bill of materials. Each is found under a tag made of the image's digest and the
signing key, or SBOM: registries without the referrers API work, and tags are never moved, so that immutable ones work
too. Registries with that API list them as referrers as well.
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
CYCLONEDX = "application/vnd.cyclonedx+json"
SBOM = "sbom"  # in place of a key, which has 16 digits
LARGEST = 16 << 20  # bytes of a document


def tag_of(digest: str, name: str) -> str:
    """Return the tag of an image's document: `name` is the key that signed a statement, or SBOM."""
    return f"{digest.replace(':', '-')}.{name}"


def put(registry: Registry, digest: str, name: str, content: bytes, kind: str = ENVELOPE) -> None:
    """Store a document of the media type `kind` beside an image, unless it is there; NotFound if the image is not.

    Idempotent: an equal document is not sent again. Blobs go before the manifest, so that a reader never finds a tag
    without its content. If the tag holds another document, the registry decides: an immutable tag raises
    RegistryFailed.
    """
    media_type, image = registry.fetch_manifest(digest)
    if get(registry, digest, name) == content:
        return
    with TemporaryDirectory() as work:
        config, layer = _blob(Path(work), EMPTY, EMPTY_DATA), _blob(Path(work), kind, content)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": kind,
            "config": describe(EMPTY, EMPTY_DATA).to_document(),
            "layers": [describe(kind, content).to_document()],
            "subject": {"mediaType": media_type, "digest": digest, "size": len(image)},
        }
        data = encode(manifest)
        for blob in (config, layer):
            registry.upload(blob)
        artifact = LocalImage(sha256(data), MANIFEST, data, config, (layer,), "")
        registry.put_manifest(artifact, tag_of(digest, name))


def get(registry: Registry, digest: str, name: str) -> bytes | None:
    """Return a document beside an image, its bytes as the artifact's digest says; None if it is absent or altered.

    At most LARGEST bytes are read; a longer document counts as altered. Signatures are not checked here.
    """
    try:
        _, data = registry.fetch_manifest(tag_of(digest, name))
        (layer,) = json.loads(data)["layers"]
        with registry.open_blob(layer["digest"]) as file:
            content = file.read(LARGEST)
    except (NotFound, ValueError, KeyError, TypeError):  # a tag may have anything that its pusher wrote
        return None
    return content if sha256(content) == layer["digest"] else None


def _blob(work: Path, media_type: str, data: bytes) -> Blob:
    digest = sha256(data)
    path = work / encoded(digest)
    path.write_bytes(data)
    return Blob(media_type, digest, len(data), path)
