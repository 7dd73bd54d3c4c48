"""Images whose index, manifest, config or blobs break a rule."""

import json
from typing import Any

from tests.unit.oci.broken import broken
from tests.unit.oci.drafts import HANDLER, Draft, Entry, put


@broken("one-image")
def two_images(draft: Draft) -> None:
    """An index with one image per platform."""
    other = "sha256:" + "0" * 64
    draft.edit_index = lambda index: index["manifests"].append({**index["manifests"][0], "digest": other})


@broken("one-image")
def no_image(draft: Draft) -> None:
    """An index with nothing in it."""
    draft.edit_index = lambda index: index["manifests"].clear()


@broken("attestation")
def provenance_beside(draft: Draft) -> None:
    """The attestation that buildx adds unless provenance is off."""
    draft.edit_index = lambda index: index["manifests"].append(
        {**index["manifests"][0], "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    )


@broken("one-image")
def index_in_index(draft: Draft) -> None:
    """An index that names an index, as buildx writes even for one image."""
    draft.edit_index = lambda index: index.update(manifests=[above(draft, index["manifests"])])


def above(draft: Draft, manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """An index as a blob of its own, and its descriptor."""
    blobs: dict[str, bytes] = {}
    kind = "application/vnd.oci.image.index.v1+json"
    descriptor = put(blobs, kind, json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())
    draft.edit_blobs = lambda written, _: written.update(blobs)
    return descriptor


@broken("manifest-media-type")
def artifact(draft: Draft) -> None:
    """A Helm chart, which registries store too."""
    kind = "application/vnd.cncf.helm.config.v1+json"
    draft.edit_index = lambda index: index["manifests"][0].update(mediaType=kind)


@broken("manifest-media-type")
def manifest_of_schema_1(draft: Draft) -> None:
    """A manifest with the media type of Docker schema 1."""
    kind = "application/vnd.docker.distribution.manifest.v1+json"
    draft.edit_manifest = lambda manifest: manifest.update(mediaType=kind)


@broken("config-media-type")
def artifact_config(draft: Draft) -> None:
    """An artifact in place of an image."""
    draft.edit_manifest = lambda manifest: manifest["config"].update(mediaType="application/vnd.oci.empty.v1+json")


@broken("layer-media-type")
def zstd_layer(draft: Draft) -> None:
    """A layer compressed by zstd."""
    kind = "application/vnd.oci.image.layer.v1.tar+zstd"
    draft.edit_manifest = lambda manifest: manifest["layers"][1].update(mediaType=kind)


@broken("manifest-size")
def long_annotation(draft: Draft) -> None:
    """A manifest of more than 25,400 bytes."""
    draft.edit_manifest = lambda manifest: manifest.update(annotations={"long": "x" * 25_400})


@broken("json")
def manifest_is_no_json(draft: Draft) -> None:
    """A truncated manifest, under its own digest and size."""

    def edit(index: dict[str, Any]) -> None:
        from tests.unit.oci.drafts import digest

        spoiled = b'{"schemaVersion": 2,'
        index["manifests"][0].update(digest=digest(spoiled), size=len(spoiled))
        draft.edit_blobs = lambda blobs, _: blobs.update({digest(spoiled): spoiled})

    draft.edit_index = edit


@broken("blob-missing")
def layer_is_gone(draft: Draft) -> None:
    """A layer that was not copied."""
    draft.edit_blobs = lambda blobs, manifest: blobs.pop(manifest["layers"][0]["digest"])


@broken("blob-missing")
def config_is_gone(draft: Draft) -> None:
    """A config that was not copied."""
    draft.edit_blobs = lambda blobs, manifest: blobs.pop(manifest["config"]["digest"])


@broken("blob-size")
def wrong_size(draft: Draft) -> None:
    """A descriptor with another size."""
    draft.edit_manifest = lambda manifest: manifest["layers"][0].update(size=7)


@broken("blob-digest")
def altered_config(draft: Draft) -> None:
    """A config with one changed byte."""

    def edit(blobs: dict[str, bytes], manifest: dict[str, Any]) -> None:
        digest = manifest["config"]["digest"]
        blobs[digest] = blobs[digest].replace(b'"created_by": "test"', b'"created_by": "Test"', 1)

    draft.edit_blobs = edit


@broken("blob-digest")
def altered_layer(draft: Draft) -> None:
    """A layer whose gzip timestamp changed."""

    def edit(blobs: dict[str, bytes], manifest: dict[str, Any]) -> None:
        digest = manifest["layers"][0]["digest"]
        blobs[digest] = blobs[digest][:4] + b"\1" + blobs[digest][5:]

    draft.edit_blobs = edit


@broken("platform")
def arm_image(draft: Draft) -> None:
    """An image for another architecture."""
    draft.edit_config = lambda config: config.update(architecture="arm64")


@broken("history")
def half_a_history(draft: Draft) -> None:
    """A history of the first layer only."""
    draft.edit_config = lambda config: config["history"].pop()


@broken("json")
def config_of_another_shape(draft: Draft) -> None:
    """A config with a string in place of a list."""
    draft.edit_config = lambda config: config["config"].update(Env="PATH=/usr/bin")


@broken("layer-media-type")
def plain_docker_layer(draft: Draft) -> None:
    """A layer type that builders write and Docker's specification does not define."""
    kind = "application/vnd.docker.image.rootfs.diff.tar"
    draft.edit_manifest = lambda manifest: manifest["layers"][0].update(mediaType=kind)


@broken("layer-plain")
def plain_layers(draft: Draft) -> None:
    """Uncompressed layers with a matching media type."""
    draft.pack = lambda data: data
    kind = "application/vnd.oci.image.layer.v1.tar"
    draft.edit_manifest = lambda manifest: [layer.update(mediaType=kind) for layer in manifest["layers"]]


@broken("diff-id")
def wrong_diff_id(draft: Draft) -> None:
    """A diff_id of other bytes."""
    draft.edit_config = lambda config: config["rootfs"]["diff_ids"].__setitem__(0, "sha256:" + "0" * 64)


@broken("diff-id")
def too_few_diff_ids(draft: Draft) -> None:
    """Fewer diff_ids than layers."""
    draft.edit_config = lambda config: config["rootfs"]["diff_ids"].pop()


@broken("gzip")
def plain_tar(draft: Draft) -> None:
    """A tar under gzip's media type."""
    draft.pack = lambda data: data


@broken("gzip")
def truncated_gzip(draft: Draft) -> None:
    """A truncated gzip, under its own digest."""
    import gzip

    draft.pack = lambda data: gzip.compress(data, 1, mtime=0)[:-9]


@broken("tar")
def truncated_tar(draft: Draft) -> None:
    """A tar that ends within a file."""
    draft.layers[1].append(Entry("var/task/long", bytes(4000)))
    draft.edit_tar = lambda data: data[: data.index(b"var/task/long") + 1024]


@broken("tar-end")
def tar_without_its_end(draft: Draft) -> None:
    """A tar without padding and end marker, as umoci 0.4.7 writes."""
    draft.edit_tar = lambda data: data[: data.index(HANDLER) + len(HANDLER)]


@broken("tar")
def spoiled_header(draft: Draft) -> None:
    """A tar header with a wrong checksum."""
    draft.edit_tar = lambda data: data.replace(b"var/task/handler/app.py", b"var/task/handler/app.pi", 1)


@broken("unpacked-size")
def too_large(draft: Draft) -> None:
    """More than the test's limit of 100 kB."""
    draft.layers[1].append(Entry("var/task/large", bytes(100_000)))
