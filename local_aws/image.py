"""Images as execution environments need them: the run configuration and the layers' folders, lowest first."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from local_aws.exceptions import InvalidImage
from local_aws.tools import unpacked_dir
from local_aws.unpack import unpack_layers

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
BlobPath = Callable[[str], Path]  # digest → the file that holds the blob


@dataclass(frozen=True)
class Image:
    """An unpacked image; `digest` is its manifest's."""

    digest: str
    layers: tuple[Path, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)


def from_layout(layout: Path) -> Image:
    """Unpack the one image of an OCI layout folder; raise InvalidImage when it is damaged or holds several."""
    index = _json(layout / "index.json")
    manifests = index.get("manifests", [])
    if not isinstance(manifests, list) or len(manifests) != 1:
        count = len(manifests) if isinstance(manifests, list) else "no list of"
        raise InvalidImage(f"{layout}/index.json names {count} manifests, expected one")
    digest = manifests[0].get("digest") if isinstance(manifests[0], dict) else manifests[0]
    return from_manifest(str(digest), lambda digest: layout / "blobs" / digest.replace(":", "/"))


def from_manifest(digest: str, blob: BlobPath) -> Image:
    """Unpack the image whose manifest has this digest; `blob` tells where blobs lie. InvalidImage when it is none."""
    try:
        manifest = json.loads(_verified(blob(_checked(digest)), digest))
        if "layers" not in manifest:
            raise InvalidImage(f"manifest {digest} is a {manifest.get('mediaType')}, expected one image manifest")
        about = _checked(manifest["config"]["digest"])
        config = json.loads(_verified(blob(about), about))
        diff_ids = [str(diff_id) for diff_id in config["rootfs"]["diff_ids"]]
        blobs = [blob(_checked(layer["digest"])) for layer in manifest["layers"]]
        found = _configured(digest, config.get("config") or {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InvalidImage(f"image {digest} is none as OCI describes it: {what}") from error
    if len(blobs) != len(diff_ids):
        raise InvalidImage(f"image {digest} has {len(blobs)} layers and {len(diff_ids)} diff_ids")
    folders = unpack_layers(list(zip(blobs, diff_ids, strict=True)), unpacked_dir())
    return replace(found, layers=tuple(folders))


def _configured(digest: str, run: dict[str, Any]) -> Image:
    """The image's run configuration, without its layers."""
    return Image(
        digest=digest,
        layers=(),
        entrypoint=tuple(run.get("Entrypoint") or ()),
        command=tuple(run.get("Cmd") or ()),
        working_directory=run.get("WorkingDir") or "/",
        environment=dict(entry.split("=", 1) for entry in run.get("Env") or ()),
    )


def _checked(digest: str) -> str:
    """The digest; ValueError for what is none, since it becomes a path."""
    if not DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is no digest")
    return digest


def _verified(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidImage(f"blob {digest}: {error.strerror} ({path})") from error
    found = "sha256:" + hashlib.sha256(content).hexdigest()
    if found != digest:
        raise InvalidImage(f"blob {path}: expected digest {digest}, found {found}")
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
