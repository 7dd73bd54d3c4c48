"""Recipes about manifests, configs and blobs: what Lambda's control plane reads, and no start can show."""

import gzip
import json
import tarfile
from typing import Any

from tests.images.recipe import ACCEPTED, DOCUMENTED, FAILS, OCI, REFUSED, REPORTED, UNDOCUMENTED, Edit, Recipe
from tests.unit.oci.drafts import Draft, Entry, put

DOCKER = "application/vnd.docker."


def media_types(draft: Draft) -> None:
    """Docker's names for everything, as `docker push` sends."""

    def edit(manifest: dict[str, Any]) -> None:
        manifest["mediaType"] = f"{DOCKER}distribution.manifest.v2+json"
        manifest["config"]["mediaType"] = f"{DOCKER}container.image.v1+json"
        for layer in manifest["layers"]:
            layer["mediaType"] = f"{DOCKER}image.rootfs.diff.tar.gzip"

    draft.edit_manifest = edit
    draft.edit_index = lambda index: index["manifests"][0].update(mediaType=f"{DOCKER}distribution.manifest.v2+json")


def layer_type(kind: str, **more: object) -> Edit:
    """Return the top layer with another media type."""

    def edit(draft: Draft) -> None:
        draft.edit_manifest = lambda manifest: manifest["layers"][-1].update(mediaType=kind, **more)

    return edit


def config(**values: Any) -> Edit:
    """Return the config with other values; None removes one."""

    def edit(draft: Draft) -> None:
        draft.edit_config = lambda document: [document.update(values)]

    return edit


def run_settings(**values: Any) -> Edit:
    """Return the run configuration with other values."""
    return lambda draft: draft.settings.update(values)


def index(change: str) -> Edit:
    """Return an index around the image: `above` it, `beside` it another platform, an attestation, or a second tag."""

    def edit(draft: Draft) -> None:
        kind, zero = "application/vnd.oci.image.index.v1+json", "sha256:" + "0" * 64
        extra: dict[str, bytes] = {}

        def rewrite(document: dict[str, Any]) -> None:
            (image,) = document["manifests"]
            image["platform"] = {"os": "linux", "architecture": "amd64"}
            others = {
                "platforms": {**image, "digest": zero, "platform": {"os": "linux", "architecture": "arm64"}},
                "attestation": {
                    **image,
                    "digest": zero,
                    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
                },
                "tags": {**image, "annotations": {"org.opencontainers.image.ref.name": "other"}},
            }
            if change in others:
                document["manifests"].append(others[change])
            if change in ("above", "platforms"):
                inner = json.dumps({"schemaVersion": 2, "manifests": document["manifests"]}).encode()
                document["manifests"] = [put(extra, kind, inner)]

        draft.edit_index = rewrite
        draft.edit_blobs = lambda blobs, _: blobs.update(extra)

    return edit


def blobs(change: str) -> Edit:
    """Return the top layer's blob missing, cut, longer, or other bytes of the same length."""

    def edit(draft: Draft) -> None:
        def spoil(written: dict[str, bytes], manifest: dict[str, Any]) -> None:
            digest = manifest["layers"][-1]["digest"]
            data = written.pop(digest)
            other = {"cut": data[:-20], "longer": data + b"\0", "other": bytes([*data[:30], data[30] ^ 1, *data[31:]])}
            if change in other:
                written[digest] = other[change]

        draft.edit_blobs = spoil

    return edit


def pack(change: str) -> Edit:
    """Return the top layer compressed in another way, its documents in agreement."""
    ways = {
        "members": lambda data: gzip.compress(data[:1024]) + gzip.compress(data[1024:]),
        "plain": lambda data: data,
        "cut": lambda data: gzip.compress(data)[:-9],
        "stargz": lambda data: b"".join(gzip.compress(data[at : at + 512]) for at in range(0, len(data), 512)),
    }

    def edit(draft: Draft) -> None:
        draft.pack = ways[change]

    return edit


def tar_bytes(change: str) -> Edit:
    """Return the top layer's tar written in another way."""
    ways = {
        "no-end": lambda data: data[:-10240] if not data[-10240:].strip(b"\0") else data.rstrip(b"\0"),
        "more-zeros": lambda data: data + bytes(10240),
        "cut": lambda data: data[:700],
        "text": lambda data: data[:0] + b"no tar " * 200,
    }

    def edit(draft: Draft) -> None:
        draft.layers.insert(0, [])  # edit_tar leaves the first layer
        draft.edit_tar = ways[change]

    return edit


def edit_documents(name: str, want: str, edit: Edit, source: str = DOCUMENTED, *entries: Entry) -> Recipe:
    """Return an image whose documents or blobs are edited."""
    return Recipe(name, want, edit=edit, source=source, entries=entries)


OCI_LAYER, ROOTFS = "application/vnd.oci.image.layer.", f"{DOCKER}image.rootfs."

DOCUMENTS = [
    edit_documents("docker-schema-2", ACCEPTED, media_types),
    edit_documents("zstd-layer", REFUSED, layer_type(f"{OCI_LAYER}v1.tar+zstd"), REPORTED),
    edit_documents("docker-zstd-layer", REFUSED, layer_type(f"{ROOTFS}diff.tar.zstd"), REPORTED),
    edit_documents(
        "foreign-layer", REFUSED, layer_type(f"{ROOTFS}foreign.diff.tar.gzip", urls=["https://example.com/l"])
    ),
    edit_documents("nondistributable-layer", REFUSED, layer_type(f"{OCI_LAYER}nondistributable.v1.tar+gzip")),
    edit_documents("encrypted-layer", REFUSED, layer_type(f"{OCI_LAYER}v1.tar+gzip+encrypted")),
    edit_documents("index", REFUSED, index("above")),
    edit_documents("two-platforms", REFUSED, index("platforms")),
    edit_documents("attestation-beside", REFUSED, index("attestation")),
    edit_documents("two-tags", ACCEPTED, index("tags"), OCI),
    edit_documents("arm64", FAILS, config(architecture="arm64"), REPORTED),
    edit_documents("windows", FAILS, config(os="windows")),
    edit_documents("no-history", ACCEPTED, config(history=None), OCI),
    edit_documents("short-history", REFUSED, config(history=[{"created_by": "base"}]), REPORTED),
    edit_documents("short-diff-ids", REFUSED, config(rootfs={"type": "layers", "diff_ids": []}), OCI),
    edit_documents("entry-point-is-text", REFUSED, run_settings(Entrypoint="/usr/bin/python3.11"), OCI),
    edit_documents("nulls", ACCEPTED, run_settings(Labels=None, Volumes=None, ExposedPorts=None, User=""), OCI),
    edit_documents("user", ACCEPTED, run_settings(User="nobody")),
    edit_documents(
        "volumes", ACCEPTED, run_settings(Volumes={"/data": {}}, ExposedPorts={"80/tcp": {}}, StopSignal="SIGINT")
    ),
    edit_documents("layer-missing", REFUSED, blobs("missing"), OCI),
    edit_documents("layer-cut", REFUSED, blobs("cut"), OCI),
    edit_documents("layer-longer", REFUSED, blobs("longer"), OCI),
    edit_documents("layer-altered", REFUSED, blobs("other"), OCI),
    edit_documents("gzip-members", ACCEPTED, pack("members"), OCI),
    edit_documents(
        "stargz",
        ACCEPTED,
        pack("stargz"),
        OCI,
        Entry(".no.prefetch.landmark", b"\x0f"),
        Entry("stargz.index.json", b"{}"),
    ),
    edit_documents("plain-tar-called-gzip", REFUSED, pack("plain"), OCI),
    edit_documents("gzip-cut", REFUSED, pack("cut"), OCI),
    edit_documents("tar-without-end", ACCEPTED, tar_bytes("no-end"), OCI),
    edit_documents("tar-with-more-zeros", ACCEPTED, tar_bytes("more-zeros"), OCI),
    edit_documents("tar-cut", REFUSED, tar_bytes("cut"), OCI),
    edit_documents("no-tar", REFUSED, tar_bytes("text"), OCI),
    edit_documents(
        "fifo", UNDOCUMENTED, lambda _: None, OCI, Entry("var/task/pipe", kind=tarfile.FIFOTYPE, mode=0o666)
    ),
    edit_documents(
        "device", UNDOCUMENTED, lambda _: None, OCI, Entry("var/task/null", kind=tarfile.CHRTYPE, mode=0o666)
    ),
    edit_documents("parent-missing", REFUSED, lambda _: None, REPORTED, Entry("data/a/file", b"1")),
    edit_documents("path-leads-out", REFUSED, lambda _: None, OCI, Entry("../escaped", b"1")),
]
