"""Lambda's rules for images: what each asks, what the service says when it is broken, and what helps.

`docs/checks.md` holds the same table for people; a test compares the two.
"""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What becomes of an image that breaks a rule."""

    REFUSED = "refused"  # no function can be created or updated with it
    FAILS = "fails"  # Lambda takes it, and the function fails when it starts or when it gets there
    CAREFUL = "careful"  # Lambda takes it and it may run for years; images of this project keep the rule all the same


class Source(StrEnum):
    """How the service's words are known."""

    DOCUMENTED = "documented"  # AWS's own pages
    REPORTED = "reported"  # seen by people and told in public
    LIKELY = "likely"  # the words of the same kind of fault; this one was never seen told
    SILENT = "silent"  # the service says nothing


@dataclass(frozen=True)
class Rule:
    """One rule. `says` are the service's words, with names in capitals for what it fills in."""

    asks: str
    level: Level
    says: str
    source: Source
    remedy: str


MEDIA_TYPE = "The image manifest, config or layer media type for the source image IMAGE is not supported."
LAYER = "InvalidImage(ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest DIGEST)"
IMAGE = "Source image IMAGE is not valid. Provide a valid source image."
PARENT = "InvalidImage(MissingParentDirectory: Parent directory does not exist for file: PATH)"
ENTRY = "Runtime.InvalidEntrypoint: fork/exec ENTRYPOINT: "
FOLDER = "Runtime.InvalidWorkingDir: the working directory 'FOLDER' is invalid, it needs to be an absolute path"
IMPORT = "Runtime.ImportModuleError: Unable to import module 'MODULE': "
HANDLER = "Runtime.HandlerNotFound: Handler 'NAME' missing on module 'MODULE'"
SHARED = "LIBRARY: cannot open shared object file: No such file or directory"
NOTHING = ""

ONE = "build for one platform without attestations: docker buildx build --platform linux/amd64 --provenance=false"
AGAIN = "push or copy the image again: the copy is not whole"
TYPES = "write OCI or Docker schema 2 types: skopeo copy --format v2s2, buildah push --format docker"
SQUASH = "write the layer again with GNU tar or another image builder"

_R, _F, _C = Level
_D, _P, _L, _S = Source

RULES: dict[str, Rule] = {
    "one-image": Rule("one image manifest, with no index above it", _R, MEDIA_TYPE, _D, ONE),
    "attestation": Rule("no provenance or SBOM beside the image", _R, MEDIA_TYPE, _D, ONE),
    "manifest-media-type": Rule("an OCI or Docker schema 2 manifest", _R, MEDIA_TYPE, _D, TYPES),
    "config-media-type": Rule("an OCI or Docker image config", _R, MEDIA_TYPE, _D, TYPES),
    "layer-media-type": Rule("layers of type tar+gzip, OCI's or Docker's", _R, LAYER, _P, "compress layers by gzip"),
    "layer-plain": Rule("layers are compressed", _C, NOTHING, _S, "compress layers by gzip: pulls get shorter"),
    "manifest-size": Rule("a manifest of fewer than 25,400 bytes", _R, IMAGE, _L, "use fewer layers and annotations"),
    "json": Rule("manifest and config are JSON objects", _R, IMAGE, _L, AGAIN),
    "blob-missing": Rule("every blob that is named is there", _R, IMAGE, _L, AGAIN),
    "blob-size": Rule("blobs have the size that descriptors name", _R, IMAGE, _L, AGAIN),
    "blob-digest": Rule("blobs have the digest that names them", _R, IMAGE, _L, AGAIN),
    "platform": Rule("linux on amd64", _F, ENTRY + "exec format error", _P, "build with --platform linux/amd64"),
    "history": Rule("one history entry for each layer, or none at all", _R, LAYER, _P, "write all of the history"),
    "diff-id": Rule("a diff_id for each layer: the digest of its tar", _R, LAYER, _L, AGAIN),
    "gzip": Rule("layers unpack to their end", _R, LAYER, _L, AGAIN),
    "tar": Rule("a layer is one whole tar", _R, LAYER, _L, SQUASH),
    "tar-end": Rule("its last file is padded and its end marked", _C, NOTHING, _S, SQUASH),
    "unpacked-size": Rule("at most 10 GB unpacked", _R, IMAGE, _L, "leave out what no function reads"),
    "parent-folder": Rule(
        "a file's folders come in its layer or an earlier one", _R, PARENT, _P, "write an entry for each folder"
    ),
    "path-escapes": Rule("paths stay inside the image", _R, LAYER, _L, SQUASH),
    "path-duplicate": Rule("a layer holds a path once", _C, NOTHING, _S, "keep the last entry only"),
    "path-name": Rule("names that every tool reads alike", _C, NOTHING, _S, "rename the file, or leave it out"),
    "file-type": Rule("files, folders and links only", _R, LAYER, _L, "leave devices and pipes out"),
    "hard-link": Rule("no hard links", _C, LAYER, _P, "store a copy or a symbolic link"),
    "whiteout": Rule("a whiteout deletes something", _C, NOTHING, _S, "delete the path that is there"),
    "set-id": Rule("no setuid or setgid file", _C, NOTHING, _S, "chmod a-s: no function changes its user"),
    "readable": Rule(
        "any user may read files and search folders", _F, "[Errno 13] Permission denied: 'PATH'", _D, "chmod -R a+rX"
    ),
    "private": Rule(
        "the same in folders that functions rarely read", _C, NOTHING, _S, "chmod -R a+rX, or leave it out"
    ),
    "dangling-link": Rule("links lead to something", _C, NOTHING, _S, "remove the link, or add what it names"),
    "entry-point": Rule(
        "ENTRYPOINT or CMD names a program",
        _F,
        "Runtime.InvalidEntrypoint",
        _D,
        "set ENTRYPOINT, here or in ImageConfig",
    ),
    "entry-point-absolute": Rule(
        "an absolute path starts it", _F, ENTRY + "no such file or directory", _D, "write the whole path"
    ),
    "entry-point-exists": Rule(
        "the program is in the image", _F, ENTRY + "no such file or directory", _P, "add it, or correct the path"
    ),
    "entry-point-link": Rule(
        "no symbolic link on its way",
        _C,
        ENTRY + "no such file or directory",
        _D,
        "name the file that the link leads to",
    ),
    "entry-point-executable": Rule("any user may execute it", _F, ENTRY + "permission denied", _P, "chmod a+x"),
    "entry-point-format": Rule(
        "it is an ELF program or a script with #!", _F, ENTRY + "exec format error", _P, "add the #! line"
    ),
    "working-folder": Rule("WORKDIR is an absolute folder of the image", _F, FOLDER, _P, "make it, or correct WORKDIR"),
    "environment": Rule("each line of ENV is NAME=VALUE", _C, NOTHING, _S, "correct the line"),
    "handler": Rule(
        "the handler's module is there and is Python",
        _F,
        IMPORT + "No module named 'MODULE'",
        _P,
        "correct CMD or add it",
    ),
    "handler-name": Rule("the module defines the handler", _F, HANDLER, _P, "correct CMD, or define it"),
    "handler-import": Rule(
        "what the function's modules import is there", _F, IMPORT + "No module named 'NAME'", _P, "install the package"
    ),
    "elf-machine": Rule(
        "programs and libraries are for amd64", _F, ENTRY + "exec format error", _P, "install for amd64"
    ),
    "elf-broken": Rule("they are whole", _F, IMPORT + "LIBRARY: file too short", _P, "install it again"),
    "interpreter": Rule(
        "a program's loader is there", _F, ENTRY + "no such file or directory", _P, "add the C library"
    ),
    "library": Rule("every library that one needs is there", _F, IMPORT + SHARED, _P, "add the library's package"),
    "optional-library": Rule(
        "the same for what functions rarely load", _C, NOTHING, _S, "add the library's package, or remove the file"
    ),
    "symbol-version": Rule(
        "in a version that is new enough", _F, IMPORT + "LIBRARY: version `VERSION' not found", _P, "use an older wheel"
    ),
}


@dataclass(frozen=True)
class Problem:
    """One broken rule: where in the image, and what is wrong there."""

    rule: str
    where: str
    text: str

    @property
    def level(self) -> Level:
        """What becomes of the image."""
        return RULES[self.rule].level

    @property
    def service(self) -> str:
        """What Lambda says about it; an empty text when it says nothing."""
        return RULES[self.rule].says

    @property
    def remedy(self) -> str:
        """What helps."""
        return RULES[self.rule].remedy

    def __str__(self) -> str:
        said = f"Lambda: {self.service}" if self.service else "Lambda says nothing about it."
        return f"{self.rule}: {self.where}: {self.text}\n    {said}\n    next: {self.remedy}"


@dataclass(frozen=True)
class Limits:
    """Lambda's quotas for images, in bytes."""

    unpacked: int = 10 * 1000**3
    manifest: int = 25_400


LAMBDA = Limits()
