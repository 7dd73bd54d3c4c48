"""Lock the layers that every build on every machine must make of the pinned inputs, byte for byte.

`layers.lock` has a line `NAME sha256:DIGEST SIZE` for every layer except those of the project's own code.
`layers.files.xz` has a line `NAME KIND MODE HASH PATH` for every entry of those layers; HASH is 8 hexadecimal digits of
the sha256 of content or link target. It lets a machine that never had the right layer name the file that differs.
"""

import hashlib
import lzma
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .exceptions import OciError
from .layer import LayerRecord, read_layer

APPS = ("plexus", "handler")  # their bytes change with every commit
KINDS = {tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.LNKTYPE: "h"}
WORDS = {"d": "a directory", "l": "a link", "h": "a hard link", "f": "a file"}
PIECE = 1 << 20
RENEW = (
    "next: if pins were meant to move, make lock; otherwise report it: the build is not reproducible on this machine"
)


class LockedLayerDiffers(OciError):
    """Raised if a layer does not match the lock, or the lock cannot be read."""


@dataclass(frozen=True)
class LockedFile:
    """One entry of a layer in the lock; `content` is empty for a directory."""

    kind: str
    mode: str
    content: str


LockedFiles = dict[str, LockedFile]


def list_locked_layers(folders: Sequence[Path]) -> list[tuple[LayerRecord, Path]]:
    """Return the record and the folder of each layer that is in the lock: all but those of the project's own code."""
    layers = [(read_layer(folder), folder) for folder in folders]
    return [(layer, folder) for layer, folder in layers if layer.name not in APPS]


def render_lock(folders: Sequence[Path]) -> str:
    """Render layers.lock for the layers in `folders`."""
    lines = [f"{layer.name} {layer.digest} {layer.size}\n" for layer, _ in list_locked_layers(folders)]
    return "# name digest size; every layer but the app's, in the image's order\n" + "".join(lines)


def read_lock(text: str) -> dict[str, str]:
    """Parse layers.lock into digests by layer name; raises LockedLayerDiffers for an invalid line."""
    layers = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        words = line.split()
        if len(words) != 3 or not words[1].startswith("sha256:"):
            raise LockedLayerDiffers(f"layers.lock:{number}: expected NAME DIGEST SIZE, got {line!r}")
        layers[words[0]] = words[1]
    return layers


def read_entries(blob: Path) -> LockedFiles:
    """Read the entries of a layer by path; `blob` is a gzip tar. The mode is four octal digits."""
    files: LockedFiles = {}
    with tarfile.open(blob, "r|gz", bufsize=PIECE) as archive:  # a stream: scipy's layer alone unpacks to over 100 MB
        for member in archive:
            kind = KINDS.get(member.type, "f")
            content = hashlib.sha256(member.linkname.encode(errors="surrogateescape"))
            if member.isreg() and (file := archive.extractfile(member)):
                content = hashlib.sha256()
                while piece := file.read(PIECE):
                    content.update(piece)
            files[member.name] = LockedFile(kind, f"{member.mode:04o}", "" if kind == "d" else content.hexdigest()[:8])
    return files


def render_files(folders: Sequence[Path]) -> bytes:
    """Render layers.files.xz for the layers in `folders`."""
    lines = [
        f"{layer.name} {entry.kind} {entry.mode} {entry.content or '-'} {path}\n"
        for layer, folder in list_locked_layers(folders)
        for path, entry in sorted(read_entries(folder / "blob").items())
    ]
    return lzma.compress("".join(lines).encode(errors="surrogateescape"), preset=9)


def read_files(data: bytes, layer: str) -> LockedFiles:
    """Read the entries of one layer from layers.files.xz; empty for a layer that is not in it."""
    files: LockedFiles = {}
    for line in lzma.decompress(data).decode(errors="surrogateescape").splitlines():
        name, kind, mode, content, path = line.split(" ", 4)
        if name == layer:
            files[path] = LockedFile(kind, mode, "" if content == "-" else content)
    return files


def check_locked(folders: Sequence[Path], lock: Path) -> None:
    """Raise LockedLayerDiffers, with the first file that differs, unless the layers match the lock.

    `lock` is layers.lock, with layers.files.xz beside it. `folders` are all layers of the image, lowest first, and
    their order counts. Blobs are read only where a digest differs.
    """
    expected = read_lock(lock.read_text(encoding="utf-8"))
    layers = list_locked_layers(folders)
    names = [layer.name for layer, _ in layers]
    if names != list(expected):
        both = f"got {', '.join(names)}, expected {', '.join(expected)} as in {lock.name}"
        raise LockedLayerDiffers(f"layers: {both}\n  {RENEW}")
    for layer, folder in layers:
        if layer.digest != expected[layer.name]:
            difference = find_first_difference(layer.name, folder / "blob", lock.with_name("layers.files.xz"))
            both = f"got {layer.digest}, expected {expected[layer.name]} as in {lock.name}"
            raise LockedLayerDiffers(f"layer {layer.name}: {both}\n  first difference: {difference}\n  {RENEW}")


def find_first_difference(layer: str, blob: Path, listing: Path) -> str:
    """Describe the first path, in sorted order, that differs from the list, and how."""
    if not listing.exists():
        return f"unknown, because {listing.name} is missing"
    results = list_differences(read_files(listing.read_bytes(), layer), read_entries(blob))
    return next(results, "in no file, only in order or compression")


def list_differences(expected: LockedFiles, got: LockedFiles) -> Iterator[str]:
    """Yield a description of each path that differs."""
    for path in sorted({*expected, *got}):
        before, now = expected.get(path), got.get(path)
        if before is None or now is None:
            yield f"{path}: {'missing' if now is None else 'extra'}"
        elif before.kind != now.kind:
            yield f"{path}: expected {WORDS[before.kind]}, got {WORDS[now.kind]}"
        elif before.mode != now.mode:
            yield f"{path}: mode: expected {before.mode}, got {now.mode}"
        elif before.content != now.content:
            what = "link target" if now.kind == "l" else "content"
            yield f"{path}: {what}: expected sha256 {before.content}…, got {now.content}…"
