"""Images as lint sees them: the documents as they were written, and each layer as it was read."""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from oci.digest import DIGEST, encoded, sha256
from oci.exceptions import OciError
from oci.scan import Scan, scan_blob
from oci.shape import CONFIG, INDEX, MANIFEST, Shape, decoded, shaped

MANIFESTS = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}
CONFIGS = {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
GZIP_LAYERS = {
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar"

# Opens a blob by its digest; None when the source does not have it.
Blobs = Callable[[str], AbstractContextManager[BinaryIO] | None]


@dataclass(frozen=True)
class Note:
    """Something that was already wrong when the image was read: a rule and what it is about."""

    rule: str
    where: str
    text: str


@dataclass(frozen=True)
class Image:
    """One image. `manifest` is None in a docker archive, `scans` has None for a layer that cannot be read."""

    manifest: Mapping[str, Any] | None
    manifest_size: int
    config: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    scans: Sequence[Scan | None]
    notes: Sequence[Note] = field(default=())


class Notes(list[Note]):
    """Notes while they are taken."""

    def take(self, rule: str, where: str, text: str) -> None:
        """Add one."""
        self.append(Note(rule, where, text))

    def shaped(self, value: Any, shape: Shape, where: str) -> Any:
        """`value` less what has another shape, each such place noted."""
        return shaped(value, shape, where, lambda text: self.take("json", where, text))


def layout_image(folder: Path, known: Callable[[str], Scan | None] = lambda _: None) -> Image:
    """The image in the OCI layout at `folder`; `known` may give the scan of a blob that was read before."""
    blobs = folder / "blobs" / "sha256"

    def open_blob(digest: str) -> BinaryIO | None:
        path = blobs / encoded(digest)
        return path.open("rb") if DIGEST.fullmatch(digest) and path.is_file() else None

    try:
        index = decoded((folder / "index.json").read_bytes())
    except (OSError, ValueError) as problem:
        raise OciError(f"{folder} is no OCI image layout: {problem}\n  Build one with: make build") from problem
    return indexed_image(index, open_blob, known)


def indexed_image(
    index: Any, blobs: Blobs, known: Callable[[str], Scan | None] = lambda _: None, workers: int | None = None
) -> Image:
    """The image that the index of a layout names."""
    notes = Notes()
    descriptor = chosen(notes.shaped(index, INDEX, "index.json"), "index.json", blobs, notes)
    return image_from(descriptor, blobs, notes, known, workers)


def reference_image(media_type: str, data: bytes, blobs: Blobs) -> Image:
    """The image that a registry's reference names: `data` is what the reference gave, of this media type."""
    notes = Notes()
    descriptor: Mapping[str, Any] = {"mediaType": media_type, "digest": sha256(data), "size": len(data)}

    def open_blob(digest: str) -> AbstractContextManager[BinaryIO] | None:
        return io.BytesIO(data) if digest == sha256(data) else blobs(digest)

    return image_from(chosen({"manifests": [descriptor]}, "reference", open_blob, notes), open_blob, notes)


def chosen(index: Mapping[str, Any], where: str, blobs: Blobs, notes: Notes) -> Mapping[str, Any]:
    """The descriptor of the image that an index leads to; notes everything that is not exactly one image."""
    found = list(index.get("manifests") or ())
    kinds = [(entry, "attestation" if attests(entry) else entry.get("mediaType")) for entry in found]
    images = [entry for entry, kind in kinds if kind in MANIFESTS]
    indexes = [entry for entry, kind in kinds if kind in INDEXES]
    for entry, kind in kinds:
        if kind == "attestation":
            notes.take("attestation", where, f"it holds the attestation {entry.get('digest')}")
        elif kind not in MANIFESTS | INDEXES:
            notes.take("manifest-media-type", where, f"it names a {kind}, not an image's manifest")
    if len(images) > 1:
        notes.take("one-image", where, f"it names {len(images)} images; Lambda takes one, with no index above it")
    if indexes:
        notes.take("one-image", where, "it names an index; Lambda takes the manifest of one image")
    if images:
        return next(filter(is_for_lambda, images), images[0])
    if indexes and where != "index":  # what is below is linted as well, so that all is told at once; but no deeper
        return chosen(document(indexes[0], "index", INDEX, blobs, notes)[1], "index", blobs, notes)
    if not notes:
        notes.take("one-image", where, "it names no image")
    return {}


def is_for_lambda(descriptor: Mapping[str, Any]) -> bool:
    """Whether an index says that an image is for this project's platform."""
    platform = descriptor.get("platform") or {}
    return (platform.get("os"), platform.get("architecture")) == ("linux", "amd64")


def attests(descriptor: Mapping[str, Any]) -> bool:
    """Whether an index entry is provenance or an SBOM that a builder put beside the image."""
    annotations = descriptor.get("annotations") or {}
    return "vnd.docker.reference.type" in annotations or "artifactType" in descriptor


def image_from(
    descriptor: Mapping[str, Any],
    blobs: Blobs,
    notes: Notes,
    known: Callable[[str], Scan | None] = lambda _: None,
    workers: int | None = None,
) -> Image:
    """The image that `descriptor` points at; `workers` layers are read at once, by default one for each CPU."""
    data, manifest = document(descriptor, "manifest", MANIFEST, blobs, notes) if descriptor else (b"", {})
    inner = manifest.get("mediaType", descriptor.get("mediaType"))
    if descriptor and manifest and inner not in MANIFESTS:
        notes.take("manifest-media-type", "manifest", f"it calls itself a {inner}")
    about_config = manifest.get("config") or {}
    config: Mapping[str, Any] = {}
    if manifest and about_config.get("mediaType") not in CONFIGS:
        notes.take("config-media-type", "config", f"its media type is {about_config.get('mediaType')}")
    elif manifest:
        config = document(about_config, "config", CONFIG, blobs, notes)[1]
    layers = manifest.get("layers") or []
    scans = layer_scans(layers, blobs, notes, known, workers)
    return Image(manifest, len(data), config, layers, scans, notes)


def document(
    descriptor: Mapping[str, Any], what: str, shape: Shape, blobs: Blobs, notes: Notes
) -> tuple[bytes, Mapping[str, Any]]:
    """Bytes and value of a JSON blob; empty, with a note, when it is missing, altered or no JSON object."""
    digest = str(descriptor.get("digest"))
    file = blobs(digest)
    if file is None:
        notes.take("blob-missing", what, f"the blob {digest} is not there")
        return b"", {}
    with file as opened:
        data = opened.read()
    if len(data) != descriptor.get("size"):
        notes.take("blob-size", what, f"its descriptor says {descriptor.get('size')} bytes, the blob has {len(data)}")
    elif sha256(data) != digest:
        notes.take("blob-digest", what, f"its descriptor says {digest}, the blob's bytes are {sha256(data)}")
    try:
        value = decoded(data)
    except ValueError as problem:
        notes.take("json", what, f"it is no JSON: {problem}")
        return data, {}
    return data, notes.shaped(value, shape, what)


def layer_scans(
    layers: Sequence[Mapping[str, Any]],
    blobs: Blobs,
    notes: Notes,
    known: Callable[[str], Scan | None],
    workers: int | None,
) -> list[Scan | None]:
    """What is in each layer; zlib and the digests let other threads run, and notes keep the layers' order."""
    taken = [Notes() for _ in layers]
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        scans = list(pool.map(lambda layer, own: layer_scan(layer, blobs, own, known), layers, taken))
    for own in taken:
        notes.extend(own)
    return scans


def layer_scan(
    layer: Mapping[str, Any], blobs: Blobs, notes: Notes, known: Callable[[str], Scan | None]
) -> Scan | None:
    """What is in a layer; None, with a note, for one that Lambda would not read."""
    digest, media_type = str(layer.get("digest")), layer.get("mediaType")
    if media_type not in GZIP_LAYERS and media_type != PLAIN_LAYER:
        notes.take("layer-media-type", f"layer {digest}", f"its media type is {media_type}")
        return None
    if media_type == PLAIN_LAYER:
        notes.take("layer-plain", f"layer {digest}", "it is a plain tar")
    file = blobs(digest)
    if file is None:
        notes.take("blob-missing", f"layer {digest}", "the blob is not there")
        return None
    with file as opened:
        return known(digest) or scan_blob(opened, packed=media_type != PLAIN_LAYER)
