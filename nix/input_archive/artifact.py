"""The OCI artifact of all pinned inputs: each input a blob of its own digest. The same inputs give the same bytes."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from nix.pins import GROUPS, Deb, Input, inputs_of

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
ARTIFACT_TYPE = "application/vnd.score-processor.inputs.v1"
EMPTY_TYPE, EMPTY = "application/vnd.oci.empty.v1+json", b"{}"
DEB_TYPE, WHEEL_TYPE = "application/vnd.debian.binary-package", "application/zip"
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


def everything() -> list[Input]:
    """List the pinned inputs of all groups, each once, in the order of the locks."""
    return list(dict.fromkeys(one for group in GROUPS for one in inputs_of(group)))


def descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    """Return the OCI descriptor of a blob."""
    return {"mediaType": media_type, "digest": f"sha256:{sha256(data)}", "size": len(data)}


def sha256(data: bytes) -> str:
    """Return the sha256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def manifest_of(wanted: Sequence[Input]) -> bytes:
    """Encode the artifact's manifest."""
    blobs = [
        {
            "mediaType": DEB_TYPE if isinstance(one, Deb) else WHEEL_TYPE,
            "digest": f"sha256:{one.sha256}",
            "size": one.size,
            "annotations": {"org.opencontainers.image.title": one.file_name, "version": one.version},
        }
        for one in wanted
    ]
    return encoded(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": ARTIFACT_TYPE,
            "config": descriptor(EMPTY_TYPE, EMPTY),
            "layers": blobs,
        }
    )


def encoded(value: object) -> bytes:
    """Encode JSON in its only form: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def tag_of(manifest: bytes) -> str:
    """Name an artifact by its content: a tag that never moves."""
    return f"inputs-{sha256(manifest)[:12]}"


def entry_of(manifest: bytes) -> dict[str, Any]:
    """Return the manifest's descriptor for an index, tagged."""
    return {
        **descriptor(MANIFEST_TYPE, manifest),
        "artifactType": ARTIFACT_TYPE,
        "annotations": {"org.opencontainers.image.ref.name": tag_of(manifest)},
    }


def index_of(entries: Sequence[dict[str, Any]]) -> bytes:
    """Encode the index of a layout that holds these manifests."""
    return encoded({"schemaVersion": 2, "manifests": list(entries)})
