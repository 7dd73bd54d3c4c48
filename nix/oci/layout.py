"""Write an OCI image layout, which `docker load` reads as well."""

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .config import create_config, encode
from .digest import digest_file, encoded
from .exceptions import BrokenLayer
from .layer import LayerRecord, read_layer
from .manifest import LAYOUT, Descriptor, create_index, create_manifest, describe
from .media_types import MANIFEST

TAG = "latest"
STAMP = "stamp"
# `docker load` leaves an image without a tag nameless.
DOCKER_TAG = "plexus/score-processor-lambda:latest"


@dataclass(frozen=True)
class ImageRecord:
    """A written layout: the image's descriptor, its config's digest and its layers."""

    image: Descriptor
    config_digest: str
    layers: tuple[LayerRecord, ...]


def write_layout(output: Path, folders: Sequence[Path], labels: Mapping[str, str]) -> ImageRecord:
    """Write the image with the layers in `folders`, lowest first, into the new folder `output`.

    Equal layers and labels give equal bytes. Blobs are hard links to those of the layers where the file system can:
    none may be changed in place afterwards. Raises BrokenLayer if a layer's blob does not match its record, and
    FileExistsError if `output` has blobs already.
    """
    blobs = output / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        layers = tuple(pool.map(lambda folder: add_layer(folder, blobs), folders))
    config_data = encode(create_config(layers, labels))
    manifest_data = encode(create_manifest(config_data, layers))
    image = describe(MANIFEST, manifest_data)
    config_digest = describe("", config_data).digest
    for digest, data in ((config_digest, config_data), (image.digest, manifest_data)):
        (blobs / encoded(digest)).write_bytes(data)
    (output / "oci-layout").write_bytes(LAYOUT)
    (output / "index.json").write_bytes(encode(create_index(image, TAG)))
    (output / "manifest.json").write_bytes(encode(create_docker_manifest(config_digest, layers)))
    return ImageRecord(image, config_digest, layers)


def stamp(blob: Path) -> str:
    """Return values that change when a file is rewritten or replaced; without ctime, which a new hard link changes."""
    status = blob.stat()
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def write_stamp(folder: Path) -> None:
    """Record that the blob in `folder` matches its digest, so that later builds need not hash it."""
    (folder / STAMP).write_text(stamp(folder / "blob"))


def is_stamped(folder: Path) -> bool:
    """Return whether the blob in `folder` is unchanged since write_stamp(); False if that was never called."""
    try:
        return (folder / STAMP).read_text() == stamp(folder / "blob")
    except OSError:
        return False


def add_layer(folder: Path, blobs: Path) -> LayerRecord:
    """Hard-link a layer's blob into `blobs`, or copy it, and return its record; raises BrokenLayer if it was altered.

    A linked blob that is stamped is not hashed again; a copy always is, since copying may itself go wrong.
    """
    record = read_layer(folder)
    target = blobs / encoded(record.digest)
    linked = target.exists() or link(folder / "blob", target)
    if linked and is_stamped(folder):
        return record
    got = digest_file(target)
    if got != record.digest:
        raise BrokenLayer(
            f"the layer {record.name} was altered: {folder}\n  expected {record.digest}\n  got      {got}\n"
            "  next: delete that folder and build again"
        )
    return record


def link(blob: Path, target: Path) -> bool:
    """Hard-link `blob` to `target`, or copy it if the file system cannot; return whether it is a link."""
    try:
        os.link(blob, target)
    except OSError:
        shutil.copyfile(blob, target)
        return False
    return True


def create_docker_manifest(config_digest: str, layers: Sequence[LayerRecord]) -> list[dict[str, object]]:
    """Return the content of manifest.json, which `docker load` reads instead of the index."""
    return [
        {
            "Config": f"blobs/sha256/{encoded(config_digest)}",
            "Layers": [f"blobs/sha256/{encoded(layer.digest)}" for layer in layers],
            "RepoTags": [DOCKER_TAG],
        }
    ]
