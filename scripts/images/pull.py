"""Pull an image from a registry as an OCI image layout."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from nix.oci.digest import encoded, sha256
from nix.oci.manifest import LAYOUT

from ..aws.registry import Registry
from ..console.errors import RegistryFailed

PIECE_BYTES = 1 << 20


def pull(registry: Registry, digest: str, target: Path, near: Path) -> Path:
    """Write an image as a layout into the new folder `target` and return it.

    Blobs that the layout `near` has are hard-linked instead of downloaded. RegistryFailed if the registry returns
    bytes of another digest.
    """
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    media_type, data = registry.fetch_manifest(digest)
    _require(digest, sha256(data))
    (blobs / encoded(digest)).write_bytes(data)
    manifest = json.loads(data)
    for descriptor in (manifest["config"], *manifest["layers"]):
        _pull_blob(registry, descriptor["digest"], blobs, near / "blobs" / "sha256")
    descriptor = {"mediaType": media_type, "digest": digest, "size": len(data)}
    (target / "oci-layout").write_bytes(LAYOUT)
    (target / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))
    return target


def _pull_blob(registry: Registry, digest: str, blobs: Path, near: Path) -> None:
    path = blobs / encoded(digest)
    if path.exists():
        return
    if (near / path.name).exists():
        path.hardlink_to(near / path.name)
        return
    running = hashlib.sha256()
    with registry.open_blob(digest) as file, path.open("wb") as out:
        while piece := file.read(PIECE_BYTES):
            running.update(piece)
            out.write(piece)
    _require(digest, f"sha256:{running.hexdigest()}")


def _require(expected: str, got: str) -> None:
    if expected != got:
        raise RegistryFailed(f"the registry returned other bytes: got {got}, expected {expected}")
