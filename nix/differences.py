"""Where two images differ, from the manifest down to the byte: what `make verify` and `make reproducible` tell."""

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PIECE = 1 << 20
KINDS = {tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard link"}


@dataclass(frozen=True)
class Difference:
    """One place in which `got` is not `expected`.

    `kind` is content, mode, link, type, missing (expected only), extra (got only), metadata, order, compression, layer
    or config; `layer` is a layer's name, or `config`.
    """

    layer: str
    path: str
    kind: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.path}: {self.kind}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True)
class Facts:
    """What a tar says of one entry; `content` is the sha256 of a file's bytes."""

    kind: str
    mode: int
    size: int
    content: str
    target: str
    metadata: tuple[int, int, int, str, str]


def image_differences(expected: Path, got: Path) -> list[Difference]:
    """Every difference of the images in two layout folders; empty when their manifests' digests are equal."""
    ours, theirs = Layout(expected), Layout(got)
    if ours.digest == theirs.digest:
        return []
    found = list(config_differences(ours.config, theirs.config))
    for name in [*ours.layers, *(name for name in theirs.layers if name not in ours.layers)]:
        first, second = ours.layers.get(name), theirs.layers.get(name)
        if first is None or second is None:
            found.append(Difference(name, "", "layer", *("there" if side else "absent" for side in (first, second))))
        elif first != second:
            found += layer_differences(name, ours.blob(first), theirs.blob(second))
    if not found:
        found.append(Difference("manifest", "", "content", ours.digest, theirs.digest))
    return found


class Layout:
    """The one image of a layout folder: its config, and its layers' digests by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.digest = str(json.loads((folder / "index.json").read_bytes())["manifests"][0]["digest"])
        manifest = json.loads(self.blob(self.digest).read_bytes())
        self.config = json.loads(self.blob(manifest["config"]["digest"]).read_bytes())
        self.layers = dict(zip(layer_names(self.config, manifest), digests(manifest), strict=True))

    def blob(self, digest: str) -> Path:
        """Where a blob lies."""
        return self._folder / "blobs" / digest.replace(":", "/")


def digests(manifest: Mapping[str, Any]) -> list[str]:
    """The layers' digests, lowest first."""
    return [layer["digest"] for layer in manifest["layers"]]


def layer_names(config: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Names of an image's layers from its history (`layer NAME`), or their numbers where it tells none."""
    told = [entry.get("created_by", "") for entry in config.get("history", ()) if not entry.get("empty_layer")]
    count = len(manifest["layers"])
    names = [text.removeprefix("layer ") for text in told]
    return names if len(set(names)) == count else [str(number) for number in range(count)]


def config_differences(expected: Any, got: Any, where: str = "") -> Iterator[Difference]:
    """Values of two configs that differ, less what only says that layers do."""
    if where in (".rootfs", ".history"):
        return
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in sorted({*expected, *got}):
            yield from config_differences(expected.get(key), got.get(key), f"{where}.{key}")
    elif expected != got:
        yield Difference("config", where.lstrip("."), "config", json.dumps(expected), json.dumps(got))


def layer_differences(layer: str, expected: Path, got: Path) -> list[Difference]:
    """Every entry in which two layers' blobs (gzip or plain tars) differ."""
    first, second = facts_of(expected), facts_of(got)
    found = [
        Difference(layer, path, kind, *sides)
        for path in sorted({*first, *second})
        for kind, *sides in entry_differences(first.get(path), second.get(path))
    ]
    contents = [one.path for one in found if one.kind == "content"]
    if contents:
        told = first_byte(expected, got, contents[0])
        found = [told_byte(one, told) if one.path == contents[0] and one.kind == "content" else one for one in found]
    if not found and list(first) != list(second):
        path = next(one for one, other in zip(first, second, strict=True) if one != other)
        found.append(Difference(layer, path, "order", "here", "elsewhere"))
    if not found and expected.read_bytes() != got.read_bytes():
        found.append(Difference(layer, "", "compression", *(of_file(path) for path in (expected, got))))
    return found


def entry_differences(expected: Facts | None, got: Facts | None) -> Iterator[tuple[str, str, str]]:
    """(kind, expected, got) of everything in which two entries of one path differ."""
    if expected is None or got is None:
        yield ("missing", "there", "absent") if got is None else ("extra", "absent", "there")
        return
    if expected.kind != got.kind:
        yield "type", expected.kind, got.kind
        return
    if expected.target != got.target:
        yield "link", expected.target, got.target
    if expected.mode != got.mode:
        yield "mode", f"{expected.mode:04o}", f"{got.mode:04o}"
    if expected.content != got.content:
        yield "content", f"{expected.size} bytes", f"{got.size} bytes"
    if expected.metadata != got.metadata:
        yield "metadata", str(expected.metadata), str(got.metadata)


def facts_of(blob: Path) -> dict[str, Facts]:
    """The entries of a layer in their order."""
    found: dict[str, Facts] = {}
    with tarfile.open(blob, "r|*", bufsize=PIECE) as archive:
        for member in archive:
            content = hashlib.sha256()
            for piece in pieces(archive.extractfile(member) if member.isreg() else None):
                content.update(piece)
            found[member.name] = Facts(
                kind=KINDS.get(member.type, "file" if member.isreg() else "other"),
                mode=member.mode,
                size=member.size,
                content=content.hexdigest(),
                target=member.linkname,
                metadata=(int(member.mtime), member.uid, member.gid, member.uname, member.gname),
            )
    return found


def pieces(file: IO[bytes] | None) -> Iterator[bytes]:
    """What is in a file, in pieces."""
    while file is not None and (piece := file.read(PIECE)):
        yield piece


def first_byte(expected: Path, got: Path, path: str) -> tuple[int, bytes, bytes]:
    """Offset of the first byte of a file in which two layers differ, and up to 8 bytes from there of each side."""
    ours, theirs = content_of(expected, path), content_of(got, path)
    at = next((n for n, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), None)
    at = min(len(ours), len(theirs)) if at is None else at
    return at, ours[at : at + 8], theirs[at : at + 8]


def content_of(blob: Path, path: str) -> bytes:
    """The bytes of one file of a layer."""
    with tarfile.open(blob, "r|*", bufsize=PIECE) as archive:
        for member in archive:
            if member.name == path:
                file = archive.extractfile(member)
                return file.read() if file else b""
    return b""


def told_byte(difference: Difference, told: tuple[int, bytes, bytes]) -> Difference:
    """A difference of content that also names its first byte."""
    at, expected, got = told
    sides = (
        f"{size}, {data.hex(' ') or 'the end'} at byte {at}"
        for size, data in ((difference.expected, expected), (difference.got, got))
    )
    return Difference(difference.layer, difference.path, difference.kind, *sides)


def of_file(path: Path) -> str:
    """The digest of a blob."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def summary(found: Sequence[Difference], limit: int = 10) -> str:
    """The first differences, one a line, and how many more there are."""
    more = [f"and {len(found) - limit} more"] if len(found) > limit else []
    return "\n".join([*map(str, found[:limit]), *more])
