"""An OCI image layout on disk, which `docker load` reads as well."""

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from oci.config import config
from oci.digest import encoded, of_file
from oci.exceptions import BrokenLayer
from oci.layer import LayerRecord, read_layer
from oci.manifest import MEDIA_TYPE, Descriptor, describe, encode, index, manifest

TAG = "latest"
STAMP = "stamp"
DOCKER_TAG = "plexus/score-processor-lambda:latest"


@dataclass(frozen=True)
class ImageRecord:
    """A written layout: the image's descriptor, its config's digest and its layers."""

    image: Descriptor
    config_digest: str
    layers: tuple[LayerRecord, ...]


def write_layout(output: Path, folders: Sequence[Path], labels: Mapping[str, str]) -> ImageRecord:
    """Write the image made of the layers in `folders`, in this order, into the new folder `output`."""
    blobs = output / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        layers = tuple(pool.map(lambda folder: take_layer(folder, blobs), folders))
    config_data = encode(config(layers, labels))
    manifest_data = encode(manifest(config_data, layers))
    image = describe(MEDIA_TYPE, manifest_data)
    config_digest = describe("", config_data).digest
    for digest, data in ((config_digest, config_data), (image.digest, manifest_data)):
        (blobs / encoded(digest)).write_bytes(data)
    (output / "oci-layout").write_bytes(encode({"imageLayoutVersion": "1.0.0"}))
    (output / "index.json").write_bytes(encode(index(image, TAG)))
    (output / "manifest.json").write_bytes(encode(docker_manifest(config_digest, layers)))
    return ImageRecord(image, config_digest, layers)


def stamp(blob: Path) -> str:
    """What changes when a file is written again or replaced; its change time would also tell of each hard link."""
    status = blob.stat()
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def write_stamp(folder: Path) -> None:
    """Remember that the blob in `folder` is as its record says, so that it need not be read to know that."""
    (folder / STAMP).write_text(stamp(folder / "blob"))


def is_stamped(folder: Path) -> bool:
    """Whether nobody has written to the blob in `folder` since write_stamp(); False where that was never called."""
    try:
        return (folder / STAMP).read_text() == stamp(folder / "blob")
    except FileNotFoundError:
        return False


def take_layer(folder: Path, blobs: Path) -> LayerRecord:
    """Put a layer's blob among `blobs`, by hard link where the file system allows; BrokenLayer if it was altered."""
    record = read_layer(folder)
    target = blobs / encoded(record.digest)
    linked = target.exists() or link(folder / "blob", target)
    if linked and is_stamped(folder):
        return record
    got = of_file(target)
    if got != record.digest:
        raise BrokenLayer(
            f"the layer {record.name} in {folder} was altered\n  expected {record.digest}\n  got      {got}\n"
            "  Delete that folder and build again."
        )
    return record


def link(blob: Path, target: Path) -> bool:
    """Make `target` one more name of `blob`, or a copy where the file system cannot; whether it is a name."""
    try:
        os.link(blob, target)
    except OSError:
        shutil.copyfile(blob, target)
        return False
    return True


def docker_manifest(config_digest: str, layers: Sequence[LayerRecord]) -> list[dict[str, object]]:
    """What `docker load` reads in place of the index."""
    return [
        {
            "Config": f"blobs/sha256/{encoded(config_digest)}",
            "Layers": [f"blobs/sha256/{encoded(layer.digest)}" for layer in layers],
            "RepoTags": [DOCKER_TAG],
        }
    ]
