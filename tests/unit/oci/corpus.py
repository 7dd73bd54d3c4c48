"""Broken images: for each of Lambda's rules at least one way to break it, and nothing else."""

import tarfile
from collections.abc import Callable
from typing import Any

from tests.unit.oci.drafts import LIB, LOADER, Draft, Entry, folder, link
from tests.unit.oci.elves import ARM64, elf

Spoil = Callable[[Draft], object]
CORPUS: list[tuple[str, str, Spoil]] = []


def broken(rule: str) -> Callable[[Spoil], Spoil]:
    """Register a way to break `rule`; the function's name says which."""

    def register(spoil: Spoil) -> Spoil:
        CORPUS.append((rule, spoil.__name__, spoil))
        return spoil

    return register


@broken("one-image")
def two_images(draft: Draft) -> None:
    """An index with one image per platform."""
    draft.edit_index = lambda index: index["manifests"].append(dict(index["manifests"][0]))


@broken("one-image")
def no_image(draft: Draft) -> None:
    """An index with nothing in it."""
    draft.edit_index = lambda index: index["manifests"].clear()


@broken("attestation")
def provenance_beside(draft: Draft) -> None:
    """What buildx adds unless it is told not to."""
    draft.edit_index = lambda index: index["manifests"].append(
        {**index["manifests"][0], "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    )


@broken("manifest-media-type")
def index_in_index(draft: Draft) -> None:
    """An index where a manifest should be."""
    kind = "application/vnd.oci.image.index.v1+json"
    draft.edit_index = lambda index: index["manifests"][0].update(mediaType=kind)


@broken("manifest-media-type")
def manifest_of_schema_1(draft: Draft) -> None:
    """A manifest that calls itself what Docker used before 2016."""
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
    """A manifest that breaks off, under its right digest and size."""

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
    """A descriptor that names another size."""
    draft.edit_manifest = lambda manifest: manifest["layers"][0].update(size=7)


@broken("blob-digest")
def altered_config(draft: Draft) -> None:
    """A config of which one byte changed after it was written."""

    def edit(blobs: dict[str, bytes], manifest: dict[str, Any]) -> None:
        digest = manifest["config"]["digest"]
        blobs[digest] = blobs[digest].replace(b'"created_by": "test"', b'"created_by": "Test"', 1)

    draft.edit_blobs = edit


@broken("blob-digest")
def altered_layer(draft: Draft) -> None:
    """A layer of which gzip's time stamp changed."""

    def edit(blobs: dict[str, bytes], manifest: dict[str, Any]) -> None:
        digest = manifest["layers"][0]["digest"]
        blobs[digest] = blobs[digest][:4] + b"\1" + blobs[digest][5:]

    draft.edit_blobs = edit


@broken("platform")
def arm_image(draft: Draft) -> None:
    """An image for another architecture."""
    draft.edit_config = lambda config: config.update(architecture="arm64")


@broken("history")
def no_history(draft: Draft) -> None:
    """A config without history."""
    draft.edit_config = lambda config: config.pop("history")


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
    """A gzip without its end, under its right digest."""
    import gzip

    draft.pack = lambda data: gzip.compress(data, 1, mtime=0)[:-9]


@broken("tar")
def truncated_tar(draft: Draft) -> None:
    """A tar that ends within a file."""
    draft.layers[1].append(Entry("var/task/long", bytes(4000)))
    draft.edit_tar = lambda data: data[: data.index(b"var/task/long") + 1024]


@broken("tar")
def spoiled_header(draft: Draft) -> None:
    """A tar with a header whose check sum is wrong."""
    draft.edit_tar = lambda data: data.replace(b"var/task/handler/app.py", b"var/task/handler/app.pi", 1)


@broken("unpacked-size")
def too_large(draft: Draft) -> None:
    """More than the test's limit of 100 kB."""
    draft.layers[1].append(Entry("var/task/large", bytes(100_000)))


@broken("parent-folder")
def no_parent(draft: Draft) -> None:
    """A file whose folder is in no layer."""
    draft.layers[1].append(Entry("opt/data", b"1"))


@broken("path-escapes")
def parent_in_path(draft: Draft) -> None:
    """A path that leads out of the image."""
    draft.layers[1].append(Entry("../escaped", b"1"))


@broken("path-escapes")
def absolute_path(draft: Draft) -> None:
    """An absolute path."""
    draft.layers[1].append(Entry("/srv/absolute", b"1"))


@broken("path-duplicate")
def twice(draft: Draft) -> None:
    """One path twice in one layer."""
    draft.layers[1].append(draft.layers[1][-1])


@broken("path-name")
def blank_in_name(draft: Draft) -> None:
    """A name with a blank."""
    draft.layers[1].append(Entry("var/task/two words", b"1"))


@broken("path-name")
def newline_in_name(draft: Draft) -> None:
    """A name with a line break."""
    draft.layers[1].append(Entry("var/task/two\nlines", b"1"))


@broken("path-name")
def dot_in_path(draft: Draft) -> None:
    """A path with a part that says nothing."""
    draft.layers[1].append(Entry("var/./task/dotted", b"1"))


@broken("file-type")
def device(draft: Draft) -> None:
    """A character device."""
    draft.layers[1].append(Entry("var/task/null", kind=tarfile.CHRTYPE, mode=0o666))


@broken("file-type")
def fifo(draft: Draft) -> None:
    """A named pipe."""
    draft.layers[1].append(Entry("var/task/pipe", kind=tarfile.FIFOTYPE, mode=0o666))


@broken("hard-link")
def hard_link(draft: Draft) -> None:
    """A hard link."""
    draft.layers[1].append(Entry("var/task/again", kind=tarfile.LNKTYPE, target="var/task/handler/app.py"))


@broken("whiteout")
def whiteout_of_nothing(draft: Draft) -> None:
    """A whiteout of a path that no earlier layer holds."""
    draft.layers[1].append(Entry("var/task/.wh.never"))


@broken("set-id")
def setuid(draft: Draft) -> None:
    """A setuid program."""
    draft.layers[1].append(Entry("var/task/rights", b"#!/usr/bin/python3.11\n", mode=0o4755))


@broken("readable")
def private_file(draft: Draft) -> None:
    """A file that only its owner may read."""
    draft.layers[1].append(Entry("var/task/private", b"1", mode=0o600))


@broken("readable")
def private_folder(draft: Draft) -> None:
    """A folder that only its owner may search."""
    draft.layers[1].append(folder("var/task/private", 0o700))


@broken("dangling-link")
def dangling_link(draft: Draft) -> None:
    """A link to nothing."""
    draft.layers[1].append(link("var/task/nowhere", "../missing"))


@broken("dangling-link")
def link_loop(draft: Draft) -> None:
    """A link to itself."""
    draft.layers[1].append(link("var/task/loop", "loop"))


@broken("entry-point")
def no_entry_point(draft: Draft) -> None:
    """Nothing to start."""
    draft.settings.update(Entrypoint=None, Cmd=None)


@broken("entry-point-absolute")
def relative_entry_point(draft: Draft) -> None:
    """A program that must be looked for."""
    draft.settings["Entrypoint"][0] = "python3.11"


@broken("entry-point-exists")
def missing_entry_point(draft: Draft) -> None:
    """A program that is not there."""
    draft.settings["Entrypoint"][0] = "/usr/bin/python4"


@broken("entry-point-link")
def linked_entry_point(draft: Draft) -> None:
    """A program reached by a link."""
    draft.layers[0].append(link("usr/bin/python3", "python3.11"))
    draft.settings["Entrypoint"][0] = "/usr/bin/python3"


@broken("entry-point-executable")
def entry_point_without_x(draft: Draft) -> None:
    """A program that nobody may execute."""
    next(entry for entry in draft.layers[0] if entry.path == "usr/bin/python3.11").mode = 0o644


@broken("entry-point-format")
def entry_point_is_text(draft: Draft) -> None:
    """A program that no kernel knows how to start."""
    next(entry for entry in draft.layers[0] if entry.path == "usr/bin/python3.11").data = b"print()\n"


@broken("working-folder")
def missing_working_folder(draft: Draft) -> None:
    """A working folder that is not there."""
    draft.settings.update(WorkingDir="/srv")


@broken("environment")
def nameless_variable(draft: Draft) -> None:
    """An environment line without a name."""
    draft.settings["Env"].append("=value")


@broken("handler")
def missing_module(draft: Draft) -> None:
    """A handler whose module is not there."""
    draft.settings["Cmd"] = ["handler.main.lambda_handler"]


@broken("handler")
def handler_without_module(draft: Draft) -> None:
    """A handler without a dot."""
    draft.settings["Cmd"] = ["lambda_handler"]


@broken("handler")
def handler_is_no_python(draft: Draft) -> None:
    """A handler's module that cannot be parsed."""
    draft.layers[1][-1].data = b"def lambda_handler(:\n"


@broken("handler-name")
def missing_function(draft: Draft) -> None:
    """A module without the handler's function."""
    draft.layers[1][-1].data = b"def handler(event, context): ...\n"


@broken("elf-machine")
def arm_library(draft: Draft) -> None:
    """A library for another machine."""
    draft.layers[0].append(Entry(f"{LIB}/libarm.so", elf(machine=ARM64)))


@broken("elf-broken")
def elf_without_end(draft: Draft) -> None:
    """A library of which only the beginning was copied."""
    draft.layers[0].append(Entry(f"{LIB}/libcut.so", elf(["libc.so.6"])[:120]))


@broken("interpreter")
def missing_loader(draft: Draft) -> None:
    """A program whose loader is not in the image."""
    draft.layers[0] = [entry for entry in draft.layers[0] if entry.path != LOADER]


@broken("library")
def missing_library(draft: Draft) -> None:
    """An extension module that needs a library of the build machine."""
    draft.layers[0].append(Entry(f"{LIB}/module.so", elf(["libxml2.so.2", "libc.so.6"])))


@broken("library")
def inherited_path_is_switched_off(draft: Draft) -> None:
    """A library that only a RUNPATH, which is not inherited, would have found for the next one."""
    draft.layers[0] += [
        folder("opt"),
        Entry("opt/first.so", elf(["libsecond.so"], runpath="$ORIGIN")),
        Entry("opt/libsecond.so", elf(["libthird.so"], soname="libsecond.so")),
        Entry("opt/libthird.so", elf(soname="libthird.so")),
    ]


@broken("symbol-version")
def newer_glibc(draft: Draft) -> None:
    """An extension module compiled against a newer C library."""
    draft.layers[0].append(Entry(f"{LIB}/new.so", elf(["libc.so.6"], requires=[("libc.so.6", "GLIBC_2.39")])))
