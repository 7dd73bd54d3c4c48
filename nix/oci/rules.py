"""The names of Lambda's rules, and what the service itself says when one is broken."""

from dataclasses import dataclass

MEDIA_TYPE = "The image manifest, config or layer media type for the source image IMAGE is not supported."
LAYER = "InvalidImage(ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest DIGEST)"
SOURCE = "Source image IMAGE is not valid. Provide a valid source image."
PARENT = "InvalidImage: MissingParentDirectory: Parent directory does not exist for file: PATH"
ENTRY_POINT = "Runtime.InvalidEntrypoint: fork/exec ENTRYPOINT: no such file or directory"
EXECUTABLE = "Runtime.InvalidEntrypoint: fork/exec ENTRYPOINT: permission denied"
FORMAT = "Runtime.InvalidEntrypoint: fork/exec ENTRYPOINT: exec format error"
FOLDER = "Runtime.InvalidWorkingDir: chdir FOLDER: no such file or directory"
IMPORT = "Runtime.ImportModuleError: Unable to import module 'MODULE': No module named 'MODULE'"
HANDLER = "Runtime.HandlerNotFound: Handler 'NAME' missing on module 'MODULE'"
LIBRARY = "Runtime.ImportModuleError: LIBRARY: cannot open shared object file: No such file or directory"
VERSION = "Runtime.ImportModuleError: LIBRARY: version `VERSION' not found"
PERMISSION = "[Errno 13] Permission denied: 'PATH'"

# Rule → what Lambda says; None where it accepts the image and the function misbehaves without a word.
RULES: dict[str, str | None] = {
    "one-image": MEDIA_TYPE,
    "attestation": MEDIA_TYPE,
    "manifest-media-type": MEDIA_TYPE,
    "config-media-type": MEDIA_TYPE,
    "layer-media-type": MEDIA_TYPE,
    "manifest-size": SOURCE,
    "json": SOURCE,
    "blob-missing": SOURCE,
    "blob-size": SOURCE,
    "blob-digest": SOURCE,
    "platform": FORMAT,
    "history": LAYER,
    "diff-id": LAYER,
    "gzip": LAYER,
    "tar": LAYER,
    "unpacked-size": SOURCE,
    "parent-folder": PARENT,
    "path-escapes": LAYER,
    "path-duplicate": LAYER,
    "path-name": LAYER,
    "file-type": LAYER,
    "hard-link": LAYER,
    "whiteout": LAYER,
    "set-id": None,
    "readable": PERMISSION,
    "dangling-link": None,
    "entry-point": ENTRY_POINT,
    "entry-point-absolute": ENTRY_POINT,
    "entry-point-exists": ENTRY_POINT,
    "entry-point-link": ENTRY_POINT,
    "entry-point-executable": EXECUTABLE,
    "entry-point-format": FORMAT,
    "working-folder": FOLDER,
    "environment": None,
    "handler": IMPORT,
    "handler-name": HANDLER,
    "elf-machine": FORMAT,
    "elf-broken": LIBRARY,
    "interpreter": ENTRY_POINT,
    "library": LIBRARY,
    "symbol-version": VERSION,
}


@dataclass(frozen=True)
class Problem:
    """One broken rule: where in the image, and what is wrong there."""

    rule: str
    where: str
    text: str

    @property
    def service(self) -> str | None:
        """What Lambda says about it, with names in capitals for what it fills in."""
        return RULES[self.rule]

    def __str__(self) -> str:
        said = f"Lambda: {self.service}" if self.service else "Lambda says nothing; the function fails later."
        return f"{self.rule}: {self.where}: {self.text}\n    {said}"


@dataclass(frozen=True)
class Limits:
    """Lambda's quotas for images, in bytes."""

    unpacked: int = 10 * 1000**3
    manifest: int = 25_400


LAMBDA = Limits()
