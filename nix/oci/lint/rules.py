"""Lambda's rules for container images: the requirement, the service's error message, and the remedy.

The table in `docs/reference/checks.md` is generated from this module, and a test compares the two.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Consequence of a broken rule, worst first."""

    REFUSED = "refused"  # CreateFunction and UpdateFunctionCode fail
    FAILS = "fails"  # the function is created, and fails at initialization or when it uses the file
    UNKNOWN = "unknown"  # the image's files do not tell whether the rule is broken
    ADVISORY = "advisory"  # best practice: the function runs without it


class Evidence(StrEnum):
    """How the service's error message for a rule is known."""

    DOCUMENTED = "documented"  # quoted in AWS's documentation
    REPORTED = "reported"  # quoted in public by people who received it
    INFERRED = "inferred"  # the message for faults of the same kind; never seen for this one
    SILENT = "silent"  # the service reports nothing


@dataclass(frozen=True)
class Rule:
    """One rule. Words in capitals in `message`, the service's error message, are filled in by the service."""

    requirement: str
    level: Level
    message: str
    evidence: Evidence
    remedy: str


MEDIA_TYPE = "The image manifest, config or layer media type for the source image IMAGE is not supported."
LAYER = "InvalidImage(ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest DIGEST)"
IMAGE = "Source image IMAGE is not valid. Provide a valid source image."
PARENT = "InvalidImage(MissingParentDirectory: Parent directory does not exist for file: PATH)"
ENTRY = "Runtime.InvalidEntrypoint: fork/exec ENTRYPOINT: "
FOLDER = "Runtime.InvalidWorkingDir: the working directory 'FOLDER' is invalid, it needs to be an absolute path"
IMPORT = "Runtime.ImportModuleError: Unable to import module 'MODULE': "
SYNTAX = "Runtime.UserCodeSyntaxError: Syntax error in module 'MODULE': invalid syntax (FILE, line LINE)"
ABSOLUTE = "FunctionError.InvalidEntryPoint: The path must be absolute, non-empty, and point to an executable file."
HANDLER = "Runtime.HandlerNotFound: Handler 'NAME' missing on module 'MODULE'"
SHARED = "LIBRARY: cannot open shared object file: No such file or directory"
NONE = ""
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b")

SINGLE = "build for one platform without attestations: docker buildx build --platform linux/amd64 --provenance=false"
AGAIN = "push or copy the image again; this copy is incomplete"
TYPES = "write OCI or Docker schema 2 media types: skopeo copy --format v2s2, buildah push --format docker"
REWRITE = "rewrite the layer with GNU tar or another image builder"
AMD64 = "build with --platform linux/amd64"
TRY = "start the image to find out: score-processor lint-image --run IMAGE"

_R, _F, _, _A = Level
_D, _P, _I, _S = Evidence

RULES: dict[str, Rule] = {
    "one-image": Rule("The reference is a single image manifest, not an index", _R, MEDIA_TYPE, _D, SINGLE),
    "attestation": Rule("No provenance or SBOM attestation beside the image", _R, MEDIA_TYPE, _D, SINGLE),
    "manifest-media-type": Rule("The manifest is of type OCI or Docker schema 2", _R, MEDIA_TYPE, _D, TYPES),
    "config-media-type": Rule("The config is an OCI or Docker image config", _R, MEDIA_TYPE, _D, TYPES),
    "layer-media-type": Rule("Layers are of type tar+gzip, OCI or Docker", _R, LAYER, _P, "compress layers with gzip"),
    "layer-plain": Rule("Layers are compressed", _A, NONE, _S, "compress layers with gzip, for faster pulls"),
    "manifest-size": Rule(
        "The manifest is smaller than 25,400 bytes", _R, IMAGE, _I, "use fewer layers or annotations"
    ),
    "json": Rule("Manifest and config are valid JSON objects", _R, IMAGE, _I, AGAIN),
    "blob-missing": Rule("Every blob that the manifest names exists", _R, IMAGE, _I, AGAIN),
    "blob-size": Rule("Every blob has the size in its descriptor", _R, IMAGE, _I, AGAIN),
    "blob-digest": Rule("Every blob has the digest in its descriptor", _R, IMAGE, _I, AGAIN),
    "platform": Rule("The platform is linux/amd64", _F, ENTRY + "exec format error", _P, AMD64),
    "history": Rule("The history is empty or has one entry per layer", _R, LAYER, _P, "write a complete history"),
    "diff-id": Rule("Every layer's diff_id is the digest of its tar", _R, LAYER, _I, AGAIN),
    "gzip": Rule("Layers decompress to the end", _R, LAYER, _I, AGAIN),
    "tar": Rule("Every layer is a complete tar archive", _R, LAYER, _I, REWRITE),
    "tar-end": Rule("The tar's last file is padded and its end is marked", _A, NONE, _S, REWRITE),
    "unpacked-size": Rule(
        "The layers unpack to at most 10 GB", _R, IMAGE, _I, "remove files that the function never reads"
    ),
    "parent-folder": Rule(
        "A file's parent directories are in its own or an earlier layer",
        _R,
        PARENT,
        _P,
        "add an entry for each directory",
    ),
    "path-escapes": Rule("Paths stay inside the image", _R, LAYER, _I, REWRITE),
    "path-duplicate": Rule("A layer has at most one entry for a path", _A, NONE, _S, "keep only the last entry"),
    "path-name": Rule("All tools read file names the same way", _A, NONE, _S, "rename or remove the file"),
    "file-type": Rule("Entries are files, directories or links", _R, LAYER, _I, "remove devices and FIFOs"),
    "path-length": Rule("Names have at most 255 bytes, paths 4,095", _R, LAYER, _I, "rename the file"),
    "hard-link-target": Rule(
        "A hard link's target is earlier in its own layer", _R, LAYER, _I, "store a copy or a symbolic link"
    ),
    "hard-link": Rule("No hard links", _A, LAYER, _P, "store a copy or a symbolic link"),
    "whiteout": Rule("Every whiteout deletes a file", _A, NONE, _S, "name the path to delete, or remove the whiteout"),
    "set-id": Rule("No setuid or setgid files", _A, NONE, _S, "chmod a-s; functions never change user"),
    "readable": Rule(
        "Files and directories are readable by every user",
        _F,
        "[Errno 13] Permission denied: 'PATH'",
        _D,
        "chmod -R a+rX",
    ),
    "private": Rule(
        "The same in system directories that functions rarely read", _A, NONE, _S, "chmod -R a+rX, or remove the file"
    ),
    "dangling-link": Rule("Symbolic links have a target", _A, NONE, _S, "remove the link or add its target"),
    "entry-point": Rule(
        "ENTRYPOINT or CMD names a program",
        _F,
        "Runtime.InvalidEntrypoint",
        _D,
        "set ENTRYPOINT in the image or in ImageConfig",
    ),
    "entry-point-absolute": Rule(
        "The entry point is an absolute path, as capacity providers require", _A, ABSOLUTE, _P, "use the absolute path"
    ),
    "entry-point-exists": Rule(
        "The entry point exists", _F, ENTRY + "no such file or directory", _P, "add the program or correct the path"
    ),
    "command-exists": Rule(
        "Programs that the entry point starts exist",
        _F,
        "Runtime.ExitError: exit status 127",
        _I,
        "add the program or correct the script",
    ),
    "script-interpreter": Rule(
        "The interpreter in a script's first line exists",
        _F,
        ENTRY + "no such file or directory",
        _P,
        "add the interpreter, or correct the line; its end is LF, not CR LF",
    ),
    "runtime-client": Rule(
        "Python's runtime client and what it imports are installed",
        _F,
        "Runtime.ExitError: exit status 1",
        _P,
        "install awslambdaric for the Python of the entry point",
    ),
    "entry-point-link": Rule(
        "The entry point's path has no symbolic links",
        _A,
        ENTRY + "no such file or directory",
        _D,
        "use the path of the link's target",
    ),
    "entry-point-executable": Rule(
        "The entry point is executable by every user", _F, ENTRY + "permission denied", _P, "chmod a+x"
    ),
    "entry-point-format": Rule(
        "The entry point is an ELF program or a script with #!", _F, ENTRY + "exec format error", _P, "add the #! line"
    ),
    "working-folder": Rule(
        "WORKDIR is an absolute path of a directory in the image",
        _F,
        FOLDER,
        _P,
        "create the directory or correct WORKDIR",
    ),
    "python-variable": Rule(
        "Variables of Python have values that it accepts",
        _F,
        "Runtime.ExitError: exit status 1",
        _I,
        "correct or remove the ENV line",
    ),
    "environment": Rule("Every ENV line is NAME=VALUE", _A, NONE, _S, "correct the line"),
    "handler": Rule(
        "The handler's module exists",
        _F,
        IMPORT + "No module named 'MODULE'",
        _P,
        "add or correct the module, or correct CMD",
    ),
    "handler-syntax": Rule(
        "The handler's modules are valid for the Python of the image",
        _F,
        SYNTAX,
        _P,
        "correct the line, or build the image with the Python that its syntax needs",
    ),
    "handler-name": Rule("The module defines the handler", _F, HANDLER, _P, "define the function or correct CMD"),
    "handler-import": Rule(
        "Modules and names that the handler imports exist",
        _F,
        IMPORT + "No module named 'NAME'",
        _P,
        "correct the name if it is misspelt; else add its package to the image (here: nix/locks/*.in, then make lock)",
    ),
    "extension": Rule(
        "Files in /opt/extensions are programs that every user may execute",
        _F,
        "Extension.LaunchError: fork/exec PATH: permission denied",
        _P,
        "chmod a+x, correct the program, or move anything else into a directory",
    ),
    "start": Rule(
        "The runtime asks for an invocation (tried with --run only)",
        _F,
        "Runtime.ExitError",
        _D,
        "correct what the message and the lines after it name",
    ),
    "elf-machine": Rule(
        "Programs and libraries are built for amd64", _F, ENTRY + "exec format error", _P, "install the amd64 build"
    ),
    "elf-broken": Rule(
        "Programs and libraries are complete", _F, IMPORT + "LIBRARY: file too short", _P, "reinstall the package"
    ),
    "interpreter": Rule(
        "Every program's dynamic loader exists", _F, ENTRY + "no such file or directory", _P, "add the C library"
    ),
    "library": Rule("Every required shared library exists", _F, IMPORT + SHARED, _P, "install the library's package"),
    "optional-library": Rule(
        "The same for files that functions rarely load, or that name another platform in their path",
        _A,
        NONE,
        _S,
        "install the library's package or remove the file",
    ),
    "symbol-version": Rule(
        "Libraries provide the required symbol versions",
        _F,
        IMPORT + "LIBRARY: version `VERSION' not found",
        _P,
        "install a wheel built for an older C library",
    ),
}


@dataclass(frozen=True)
class Problem:
    """One broken rule: `rule` is a key of RULES, `where` a path, layer or document, `text` what is wrong there.

    `unknown`: the rule may be broken or hold, which the image's files do not decide.
    """

    rule: str
    where: str
    text: str
    unknown: bool = False

    @property
    def level(self) -> Level:
        """Consequence for the image; UNKNOWN if the rule may hold as well."""
        return Level.UNKNOWN if self.unknown else RULES[self.rule].level

    @property
    def is_tried(self) -> bool:
        """Return whether a start of the image decides if the rule is broken; it runs files as their owner."""
        return RULES[self.rule].level == Level.FAILS and self.rule != "readable"

    @property
    def is_fatal(self) -> bool:
        """Return whether Lambda refuses the image or the function fails, for sure."""
        return self.level in (Level.REFUSED, Level.FAILS)

    @property
    def message(self) -> str:
        """Lambda's error message, with … for what only the service knows; empty if it reports nothing."""
        return PLACEHOLDER.sub("…", RULES[self.rule].message)

    @property
    def remedy(self) -> str:
        """The next step for the image's author; a start shows nothing of what Lambda refuses."""
        return TRY if self.unknown and self.is_tried else RULES[self.rule].remedy

    def __str__(self) -> str:
        quoted = f"Lambda: {self.message}" if self.message else "Lambda reports nothing."
        if self.unknown:
            quoted = f"Unknown; if broken, {quoted}"
        return f"{self.rule}: {self.where}: {self.text}\n    {quoted}\n    next: {self.remedy}"


@dataclass(frozen=True)
class Limits:
    """Lambda's quotas for images, in bytes."""

    unpacked: int = 10 * 1000**3
    manifest: int = 25_400


LAMBDA = Limits()
READ_RULES = len(RULES) - 1  # checked by reading an image; `start` needs --run
