"""The lock of the layers: what every build on every machine has to make of the pinned inputs, byte for byte.

`layers.lock` holds a line `NAME sha256:DIGEST SIZE` for every layer but the app's. `layers.files.xz` holds a line
`NAME KIND MODE HASH PATH` for every entry of those layers (HASH: 8 hexadecimal digits of the sha256 of content or link
target), so that a difference can be named on a machine that has never seen the right layer.
"""

import hashlib
import json
import lzma
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oci.exceptions import OciError

APPS = ("plexus", "handler")
KINDS = {tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.LNKTYPE: "h"}
WORDS = {"d": "a folder", "l": "a link", "h": "a hard link", "f": "a file"}
PIECE = 1 << 20
RENEW = (
    "make lock moves the layers' lock with the pins; if no pin was meant to move, the build is not reproducible here"
)


class LockedLayerDiffers(OciError):
    """When a layer is not the one that the lock names."""


@dataclass(frozen=True)
class Mark:
    """What the lock remembers of one entry; `content` is empty for a folder."""

    kind: str
    mode: str
    content: str


Marks = dict[str, Mark]


def record(folder: Path) -> dict[str, object]:
    """What a layer's folder says of it."""
    found: dict[str, object] = json.loads((folder / "layer.json").read_bytes())
    return found


def lock_text(folders: Sequence[Path]) -> str:
    """The lock of these layers, this project's own left out."""
    records = [found for folder in folders if (found := record(folder))["name"] not in APPS]
    lines = [f"{found['name']} {found['digest']} {found['size']}\n" for found in records]
    return "# name digest size; every layer but the app's, in the image's order\n" + "".join(lines)


def read_lock(text: str) -> dict[str, str]:
    """Name → digest; LockedLayerDiffers names a line that cannot be read."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        words = line.split()
        if len(words) != 3 or not words[1].startswith("sha256:"):
            raise LockedLayerDiffers(f"layers.lock:{number}: expected NAME DIGEST SIZE, got {line!r}")
        found[words[0]] = words[1]
    return found


def marks(blob: Path) -> Marks:
    """The entries of a layer."""
    found: Marks = {}
    with tarfile.open(blob, "r|gz", bufsize=PIECE) as archive:
        for member in archive:
            kind = KINDS.get(member.type, "f")
            content = hashlib.sha256(member.linkname.encode(errors="surrogateescape"))
            if member.isreg() and (file := archive.extractfile(member)):
                content = hashlib.sha256()
                while piece := file.read(PIECE):
                    content.update(piece)
            found[member.name] = Mark(kind, f"{member.mode:04o}", "" if kind == "d" else content.hexdigest()[:8])
    return found


def files_bytes(folders: Sequence[Path]) -> bytes:
    """`layers.files.xz` of these layers."""
    lines = [
        f"{name} {mark.kind} {mark.mode} {mark.content or '-'} {path}\n"
        for folder in folders
        if (name := record(folder)["name"]) not in APPS
        for path, mark in sorted(marks(folder / "blob").items())
    ]
    return lzma.compress("".join(lines).encode(errors="surrogateescape"), preset=9)


def read_files(data: bytes, layer: str) -> Marks:
    """The marks of one layer."""
    found: Marks = {}
    for line in lzma.decompress(data).decode(errors="surrogateescape").splitlines():
        name, kind, mode, content, path = line.split(" ", 4)
        if name == layer:
            found[path] = Mark(kind, mode, "" if content == "-" else content)
    return found


def check_locked(folders: Sequence[Path], lock: Path) -> None:
    """Raise LockedLayerDiffers unless the layers are those of the lock, naming the first file that differs and how."""
    expected = read_lock(lock.read_text(encoding="utf-8"))
    got = {str(found["name"]): folder for folder in folders if (found := record(folder))["name"] not in APPS}
    if list(got) != list(expected):
        raise LockedLayerDiffers(f"{lock.name} names the layers {names(expected)}, built were {names(got)}\n  {RENEW}")
    for name, folder in got.items():
        digest = record(folder)["digest"]
        if digest != expected[name]:
            told = first_difference(name, folder / "blob", lock.with_name("layers.files.xz"))
            both = f"{lock.name} says {expected[name]}, built was {digest}"
            raise LockedLayerDiffers(f"layer {name}: {both}\n  first difference: {told}\n  {RENEW}")


def names(layers: Mapping[str, object]) -> str:
    """Names in their order."""
    return ", ".join(layers)


def first_difference(layer: str, blob: Path, listing: Path) -> str:
    """The first path, in order, that is not as the listing says, and how."""
    if not listing.exists():
        return f"unknown, since {listing.name} is not there"
    return next(
        differences(read_files(listing.read_bytes(), layer), marks(blob)), "none in any file: order or compression"
    )


def differences(expected: Marks, got: Marks) -> Iterator[str]:
    """What differs, a sentence for each path."""
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
