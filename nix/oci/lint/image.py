"""Images as the linter reads them: the documents as written, and a scan of each layer.

Reading never raises for a fault in an image. Faults become problems, and what cannot be read is left empty, so that the
remaining rules are still checked.
"""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ..digest import DIGEST, encoded, sha256
from ..exceptions import OciError
from ..media_types import CONFIGS, GZIP_LAYERS, INDEXES, MANIFESTS, PLAIN_LAYER
from .rules import Problem
from .scan import Scan, scan_blob
from .shape import CONFIG, INDEX, MANIFEST, Shape, keep_shape, parse_json

Blobs = Callable[[str], AbstractContextManager[BinaryIO] | None]
"""Opens a blob by its digest; None if the source does not have it."""
KnownScans = Callable[[str], Scan | None]
"""Returns the scan of a blob that was scanned earlier, by digest; None to scan it now."""


@dataclass(frozen=True)
class Image:
    """One image: its parsed documents, its layers' descriptors and their scans, in the manifest's order.

    `manifest` is None for a Docker archive, which has none. `scans` has None for a layer that cannot be read.
    `problems` are the faults found while reading.
    """

    manifest: Mapping[str, Any] | None
    manifest_size: int
    config: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    scans: Sequence[Scan | None]
    problems: Sequence[Problem] = field(default=())


class ProblemLog(list[Problem]):
    """The problems found so far, in the order of reading."""

    def add(self, rule: str, where: str, text: str) -> None:
        """Append a problem."""
        self.append(Problem(rule, where, text))

    def keep_shape(self, value: Any, shape: Shape, where: str) -> Any:
        """Return `value` without the parts that do not match `shape`, and log a problem for each of those."""
        return keep_shape(value, shape, where, lambda text: self.add("json", where, text))


def read_directory(folder: Path) -> Image:
    """Read the image in a directory: an OCI image layout, or what `skopeo copy … dir:` writes. Raises OciError."""
    manifest = folder / "manifest.json"
    if (folder / "index.json").is_file() or not manifest.is_file():
        return read_layout(folder)
    data = manifest.read_bytes()
    try:
        media_type = parse_json(data).get("mediaType") or next(iter(MANIFESTS))
    except (ValueError, AttributeError) as problem:
        raise OciError(f"not a directory of an image: {folder}: manifest.json: {problem}") from problem

    def open_blob(digest: str) -> BinaryIO | None:
        path = folder / encoded(digest)
        return path.open("rb") if DIGEST.fullmatch(digest) and path.is_file() else None

    return read_reference(str(media_type), data, open_blob)


def read_layout(folder: Path, known: KnownScans = lambda _: None) -> Image:
    """Read the image in an OCI image layout.

    Raises OciError if `folder` is not a layout. `known` supplies scans of layers that need not be read again.
    """
    blobs = folder / "blobs" / "sha256"

    def open_blob(digest: str) -> BinaryIO | None:
        path = blobs / encoded(digest)
        return path.open("rb") if DIGEST.fullmatch(digest) and path.is_file() else None

    try:
        index = parse_json((folder / "index.json").read_bytes())
    except OSError as problem:
        reason = f"cannot read its index.json: {problem.strerror}"
        raise OciError(f"not an OCI image layout: {folder}: {reason}") from problem
    except ValueError as problem:
        raise OciError(f"not an OCI image layout: {folder}: index.json: invalid JSON: {problem}") from problem
    return read_indexed(index, open_blob, known)


def read_indexed(index: Any, blobs: Blobs, known: KnownScans = lambda _: None, workers: int | None = None) -> Image:
    """Read the image that a layout's parsed index.json names; `workers` as in `read_descriptor`."""
    log = ProblemLog()
    descriptor = choose_image(log.keep_shape(index, INDEX, "index.json"), "index.json", blobs, log)
    return read_descriptor(descriptor, blobs, log, known, workers)


def read_reference(media_type: str, data: bytes, blobs: Blobs) -> Image:
    """Read the image behind a registry reference; `data`, of this media type, is the registry's answer to it."""
    log = ProblemLog()
    descriptor: Mapping[str, Any] = {"mediaType": media_type, "digest": sha256(data), "size": len(data)}

    def open_blob(digest: str) -> AbstractContextManager[BinaryIO] | None:
        return io.BytesIO(data) if digest == sha256(data) else blobs(digest)

    return read_descriptor(choose_image({"manifests": [descriptor]}, "reference", open_blob, log), open_blob, log)


def choose_image(index: Mapping[str, Any], where: str, blobs: Blobs, log: ProblemLog) -> Mapping[str, Any]:
    """Return the descriptor of the image to lint, {} if there is none; logs whatever is not exactly one image."""
    # Two tags of one image are two descriptors with one digest.
    entries = index.get("manifests") or ()
    descriptors = list({(entry.get("digest"), is_attestation(entry)): entry for entry in entries}.values())
    kinds = [(entry, "attestation" if is_attestation(entry) else entry.get("mediaType")) for entry in descriptors]
    images = [entry for entry, kind in kinds if kind in MANIFESTS]
    indexes = [entry for entry, kind in kinds if kind in INDEXES]
    for entry, kind in kinds:
        if kind == "attestation":
            log.add("attestation", where, f"contains the attestation {entry.get('digest')}")
        elif kind not in (*MANIFESTS, *INDEXES):
            log.add("manifest-media-type", where, f"got a descriptor of type {kind}, expected an image manifest")
    if len(images) > 1:
        log.add("one-image", where, f"got {len(images)} images, expected one")
    if indexes:
        log.add("one-image", where, "got an image index, expected the manifest of one image")
    if images:
        return next(filter(is_linux_amd64, images), images[0])
    if indexes and where != "index":  # one level down, so that one run reports everything; deeper nesting is not read
        return choose_image(read_document(indexes[0], "index", INDEX, blobs, log)[1], "index", blobs, log)
    if not log:
        log.add("one-image", where, "got no image, expected one")
    return {}


def is_linux_amd64(descriptor: Mapping[str, Any]) -> bool:
    """Return whether an index entry is for linux/amd64."""
    platform = descriptor.get("platform") or {}
    return (platform.get("os"), platform.get("architecture")) == ("linux", "amd64")


def is_attestation(descriptor: Mapping[str, Any]) -> bool:
    """Return whether an index entry is provenance or an SBOM that a builder stored beside the image."""
    annotations = descriptor.get("annotations") or {}
    return "vnd.docker.reference.type" in annotations or "artifactType" in descriptor


def read_descriptor(
    descriptor: Mapping[str, Any],
    blobs: Blobs,
    log: ProblemLog,
    known: KnownScans = lambda _: None,
    workers: int | None = None,
) -> Image:
    """Read the image that `descriptor` names, scanning `workers` layers in parallel (default: one per CPU)."""
    data, manifest = read_document(descriptor, "manifest", MANIFEST, blobs, log) if descriptor else (b"", {})
    inner = manifest.get("mediaType", descriptor.get("mediaType"))
    if descriptor and manifest and inner not in MANIFESTS:
        log.add("manifest-media-type", "manifest", f"its mediaType is {inner}")
    config_descriptor = manifest.get("config") or {}
    config: Mapping[str, Any] = {}
    if manifest and config_descriptor.get("mediaType") not in CONFIGS:
        log.add("config-media-type", "config", f"its media type is {config_descriptor.get('mediaType')}")
    elif manifest:
        config = read_document(config_descriptor, "config", CONFIG, blobs, log)[1]
    layers = manifest.get("layers") or []
    scans = scan_layers(layers, blobs, log, known, workers)
    return Image(manifest, len(data), config, layers, scans, log)


def read_document(
    descriptor: Mapping[str, Any], name: str, shape: Shape, blobs: Blobs, log: ProblemLog
) -> tuple[bytes, Mapping[str, Any]]:
    """Return the bytes and the parsed value of a JSON blob.

    A missing blob gives (b"", {}), invalid JSON gives {}; both are logged, as is a wrong size or digest.
    """
    digest = str(descriptor.get("digest"))
    file = blobs(digest)
    if file is None:
        log.add("blob-missing", name, f"the blob {digest} does not exist")
        return b"", {}
    with file as opened:
        data = opened.read()
    if len(data) != descriptor.get("size"):
        log.add("blob-size", name, f"got {len(data)} bytes, expected {descriptor.get('size')} as its descriptor says")
    elif sha256(data) != digest:
        log.add("blob-digest", name, f"got {sha256(data)}, expected {digest}")
    try:
        value = parse_json(data)
    except ValueError as problem:
        log.add("json", name, f"invalid JSON: {problem}")
        return data, {}
    return data, log.keep_shape(value, shape, name)


def scan_layers(
    layers: Sequence[Mapping[str, Any]], blobs: Blobs, log: ProblemLog, known: KnownScans, workers: int | None
) -> list[Scan | None]:
    """Scan the layers in threads; zlib and hashlib release the interpreter lock. Problems keep the layers' order."""
    logs = [ProblemLog() for _ in layers]
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        scans = list(pool.map(lambda layer, layer_log: scan_layer(layer, blobs, layer_log, known), layers, logs))
    for layer_log in logs:
        log.extend(layer_log)
    return scans


def scan_layer(layer: Mapping[str, Any], blobs: Blobs, log: ProblemLog, known: KnownScans) -> Scan | None:
    """Scan one layer; None, with a problem, if it is missing or of a type that Lambda does not read."""
    digest, media_type = str(layer.get("digest")), layer.get("mediaType")
    where = f"layer {digest}"
    if media_type not in GZIP_LAYERS and media_type != PLAIN_LAYER:
        log.add("layer-media-type", where, f"its media type is {media_type}")
        return None
    if media_type == PLAIN_LAYER:
        log.add("layer-plain", where, "it is an uncompressed tar")
    file = blobs(digest)
    if file is None:
        log.add("blob-missing", where, "the blob does not exist")
        return None
    with file as opened:
        return known(digest) or scan_blob(opened, packed=media_type != PLAIN_LAYER)
