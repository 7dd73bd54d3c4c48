"""Small OCI image layouts made in tests, from files named in the test and folders on disk."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass
class Layer:
    """A layer: single files (path in the image → content) and folders taken from disk (path in the image → folder)."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def tar(self) -> bytes:
        """Return the layer's bytes, uncompressed."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, folder in self.folders.items():
                archive.add(folder, arcname=name, filter=_plain)
            for name, content in self.files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode, member.mtime = len(content), 0o644, 1
                archive.addfile(member, io.BytesIO(content))
            for name, target in self.links.items():
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, target
                archive.addfile(member)
        return buffer.getvalue()

    @cached_property
    def packed(self) -> tuple[bytes, str]:
        """The blob and its diff_id, made once: some layers are in many images, and large."""
        tar = self.tar()
        return gzip.compress(tar, 1, mtime=0), _digest(tar)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member if member.isfile() or member.isdir() or member.issym() or member.islnk() else None


def write_layout(target: Path, layers: list[Layer], run: dict[str, Any] | None = None) -> str:
    """Write an OCI layout of these layers and this run configuration; return the manifest's digest."""
    blobs = target / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    descriptors, diff_ids = [], []
    for layer in layers:
        blob, diff_id = layer.packed
        diff_ids.append(diff_id)
        descriptors.append(_put(blobs, blob, LAYER_TYPE))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": run or {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _put(blobs, json.dumps(config).encode(), CONFIG_TYPE),
        "layers": descriptors,
    }
    descriptor = _put(blobs, json.dumps(manifest).encode(), MANIFEST_TYPE)
    (target / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))
    (target / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return str(descriptor["digest"])


def _put(blobs: Path, content: bytes, media_type: str) -> dict[str, Any]:
    digest = _digest(content)
    (blobs / digest.removeprefix("sha256:")).write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
