"""Images as execution environments use them: the run configuration, and the layers' folders, lowest first."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from local_aws.exceptions import InvalidImage
from local_aws.paths import create_unpacked_dir
from local_aws.unpack import unpack_layers
from nix.oci.digest import DIGEST, sha256

BlobPath = Callable[[str], Path]  # digest → the file that holds the blob


@dataclass(frozen=True)
class Image:
    """An unpacked image; `digest` is the digest of its manifest."""

    digest: str
    layers: tuple[Path, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)


def from_layout(layout: Path) -> Image:
    """Unpack the single image of an OCI layout folder. Raise InvalidImage if it is damaged or not single.

    Layers are unpacked in the cache, once each, and verified against their digests.
    """
    index = _json(layout / "index.json")
    manifests = index.get("manifests", [])
    if not isinstance(manifests, list) or len(manifests) != 1:
        count = len(manifests) if isinstance(manifests, list) else "no list of"
        raise InvalidImage(f"{layout}/index.json names {count} manifests, expected one")
    digest = manifests[0].get("digest") if isinstance(manifests[0], dict) else manifests[0]
    return from_manifest(str(digest), lambda digest: layout / "blobs" / digest.replace(":", "/"))


def from_manifest(digest: str, blob: BlobPath) -> Image:
    """Unpack the image whose manifest has this digest; `blob` maps a digest to a file.

    Raises InvalidImage if the manifest, its config or a layer is not valid.
    """
    try:
        manifest = json.loads(_read_blob(blob(_check_digest(digest)), digest))
        if "layers" not in manifest:
            raise InvalidImage(f"manifest {digest} is a {manifest.get('mediaType')}, expected one image manifest")
        about = _check_digest(manifest["config"]["digest"])
        config = json.loads(_read_blob(blob(about), about))
        diff_ids = [str(diff_id) for diff_id in config["rootfs"]["diff_ids"]]
        blobs = [blob(_check_digest(layer["digest"])) for layer in manifest["layers"]]
        image = read_configuration(digest, config.get("config") or {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InvalidImage(f"image {digest} does not follow the OCI image specification: {what}") from error
    return unpack(image, blobs, diff_ids)


def unpack(image: Image, blobs: list[Path], diff_ids: list[str]) -> Image:
    """Return the image with its layers unpacked from these blobs. Raises InvalidImage."""
    if len(blobs) != len(diff_ids):
        raise InvalidImage(f"image {image.digest} has {len(blobs)} layers and {len(diff_ids)} diff_ids")
    folders = unpack_layers(list(zip(blobs, diff_ids, strict=True)), create_unpacked_dir())
    return replace(image, layers=tuple(folders))


def read_configuration(digest: str, run: dict[str, Any]) -> Image:
    """Return the image with its run configuration and no layers."""
    return Image(
        digest=digest,
        layers=(),
        entrypoint=tuple(run.get("Entrypoint") or ()),
        command=tuple(run.get("Cmd") or ()),
        working_directory=run.get("WorkingDir") or "/",
        environment=dict(entry.split("=", 1) for entry in run.get("Env") or ()),
    )


def _check_digest(digest: str) -> str:
    """Return the digest. Raise ValueError if it is malformed, since it becomes a path."""
    if not DIGEST.fullmatch(digest):
        raise ValueError(f"malformed digest: {digest!r}")
    return digest


def _read_blob(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidImage(f"blob {digest}: {error.strerror} ({path})") from error
    actual = sha256(content)
    if actual != digest:
        raise InvalidImage(f"blob {path}: got digest {actual}, expected {digest}")
    return content


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise InvalidImage(f"{path}: {error.strerror}; expected an OCI image layout (make build)") from error
    except ValueError as error:
        raise InvalidImage(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InvalidImage(f"{path}: expected a JSON object")
    return content
