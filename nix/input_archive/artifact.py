"""The OCI artifact of all pinned inputs: each input a blob of its own digest. The same inputs give the same bytes."""

from collections.abc import Sequence
from typing import Any

from nix.oci.config import encode
from nix.oci.digest import encoded, sha256
from nix.oci.manifest import REFERENCE, describe
from nix.oci.media_types import EMPTY, EMPTY_DATA, MANIFEST
from nix.pins import GROUPS, Deb, Input, list_inputs

ARTIFACT_TYPE = "application/vnd.score-processor.inputs.v1"
DEB_TYPE, WHEEL_TYPE = "application/vnd.debian.binary-package", "application/zip"


def list_all_inputs() -> list[Input]:
    """List the pinned inputs of all groups, each once, in the order of the locks."""
    return list(dict.fromkeys(one for group in GROUPS for one in list_inputs(group)))


def encode_manifest(wanted: Sequence[Input]) -> bytes:
    """Encode the artifact's manifest.

    Layers are in the order of `wanted`, which the caller sorts. Canonical JSON: equal inputs give equal bytes.
    """
    blobs = [
        {
            "mediaType": DEB_TYPE if isinstance(one, Deb) else WHEEL_TYPE,
            "digest": f"sha256:{one.sha256}",
            "size": one.size,
            "annotations": {"org.opencontainers.image.title": one.file_name, "version": one.version},
        }
        for one in wanted
    ]
    return encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": ARTIFACT_TYPE,
            "config": describe(EMPTY, EMPTY_DATA).to_document(),
            "layers": blobs,
        }
    )


def tag_of(manifest: bytes) -> str:
    """Name an artifact by its content: a tag that never moves."""
    return f"inputs-{encoded(sha256(manifest))[:12]}"


def create_entry(manifest: bytes) -> dict[str, Any]:
    """Return the manifest's descriptor for an index, tagged."""
    return {
        **describe(MANIFEST, manifest).to_document(),
        "artifactType": ARTIFACT_TYPE,
        "annotations": {REFERENCE: tag_of(manifest)},
    }


def encode_index(entries: Sequence[dict[str, Any]]) -> bytes:
    """Encode the index of a layout that holds these manifests."""
    return encode({"schemaVersion": 2, "manifests": list(entries)})
