"""Compare two images down to the byte, for `make verify` and `make reproducible`."""

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nix.oci.digest import digest_file

PIECE = 1 << 20
KINDS = {tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard link"}


@dataclass(frozen=True)
class Difference:
    """One difference; `layer` is a layer's name, `config` or `manifest`, `path` a path in it.

    `kind` is content, mode, link, type, missing (expected only), extra (got only), metadata, order, compression, layer
    or config.
    """

    layer: str
    path: str
    kind: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.path}: {self.kind}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True)
class TarEntry:
    """One entry of a layer's tar; `content` is the sha256 of its bytes, `metadata` (mtime, uid, gid, uname, gname)."""

    kind: str
    mode: int
    size: int
    content: str
    target: str
    metadata: tuple[int, int, int, str, str]


def compare_images(expected: Path, got: Path) -> list[Difference]:
    """Return the differences of the images in two layout folders; [] if and only if their digests are equal.

    In the order of layers, those that only `got` has last. Both layouts must be complete. If layers and configs are
    equal, one difference says so of the manifest.
    """
    first_image, second_image = ImageLayout(expected), ImageLayout(got)
    if first_image.digest == second_image.digest:
        return []
    differences = list(compare_configs(first_image.config, second_image.config))
    for name in [*first_image.layers, *(name for name in second_image.layers if name not in first_image.layers)]:
        first, second = first_image.layers.get(name), second_image.layers.get(name)
        if first is None or second is None:
            differences.append(
                Difference(name, "", "layer", *("present" if side else "absent" for side in (first, second)))
            )
        elif first != second:
            differences += compare_layers(name, first_image.read_blob(first), second_image.read_blob(second))
    if not differences:
        differences.append(Difference("manifest", "", "content", first_image.digest, second_image.digest))
    return differences


class ImageLayout:
    """The one image of a layout folder: digest, parsed config, and its layers' digests by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.digest = str(json.loads((folder / "index.json").read_bytes())["manifests"][0]["digest"])
        manifest = json.loads(self.read_blob(self.digest).read_bytes())
        self.config = json.loads(self.read_blob(manifest["config"]["digest"]).read_bytes())
        self.layers = dict(zip(list_layer_names(self.config, manifest), list_layer_digests(manifest), strict=True))

    def read_blob(self, digest: str) -> Path:
        """Return the path of a blob."""
        return self._folder / "blobs" / digest.replace(":", "/")


def list_layer_digests(manifest: Mapping[str, Any]) -> list[str]:
    """Return the layers' digests, lowest first."""
    return [layer["digest"] for layer in manifest["layers"]]


def list_layer_names(config: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Return the layers' names from the history (`layer NAME`), or their numbers if the history has none."""
    history = [entry.get("created_by", "") for entry in config.get("history", ()) if not entry.get("empty_layer")]
    count = len(manifest["layers"])
    names = [text.removeprefix("layer ") for text in history]
    return names if len(set(names)) == count else [str(number) for number in range(count)]


def compare_configs(expected: Any, got: Any, where: str = "") -> Iterator[Difference]:
    """Yield the values of two configs that differ, except rootfs and history, which follow from the layers.

    `where` is the path of keys so far, empty or with a leading dot. Lists are compared as a whole. Values are shown as
    JSON.
    """
    if where in (".rootfs", ".history"):
        return
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in sorted({*expected, *got}):
            yield from compare_configs(expected.get(key), got.get(key), f"{where}.{key}")
    elif expected != got:
        yield Difference("config", where.lstrip("."), "config", json.dumps(expected), json.dumps(got))


def compare_layers(layer: str, expected: Path, got: Path) -> list[Difference]:
    """Return the differences of two layers' blobs, gzip or plain tars, sorted by path.

    The first byte that differs is named for one file only, with its offset. Layers with the same entries may still
    differ: in their order, or in their compression.
    """
    first, second = read_entries(expected), read_entries(got)
    differences = [
        Difference(layer, path, kind, *sides)
        for path in sorted({*first, *second})
        for kind, *sides in compare_entries(first.get(path), second.get(path))
    ]
    contents = [number for number, one in enumerate(differences) if one.kind == "content"]
    if contents:  # for one only, because each costs another pass over both layers; bytecode follows from its source
        number = min(contents, key=lambda number: (differences[number].path.endswith(".pyc"), number))
        differences[number] = with_first_byte(differences[number], expected, got)
    if not differences and list(first) != list(second):
        path = next(one for one, other in zip(first, second, strict=True) if one != other)
        differences.append(Difference(layer, path, "order", "here", "elsewhere"))
    if not differences and expected.read_bytes() != got.read_bytes():
        differences.append(Difference(layer, "", "compression", *(digest_file(path) for path in (expected, got))))
    return differences


def compare_entries(expected: TarEntry | None, got: TarEntry | None) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, expected, got) for everything in which two entries of one path differ.

    None is an entry that the side does not have. An entry of another type is one difference, whatever else differs.
    """
    if expected is None or got is None:
        yield ("missing", "present", "absent") if got is None else ("extra", "absent", "present")
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


def read_entries(blob: Path) -> dict[str, TarEntry]:
    """Read the entries of a layer, in the tar's order.

    The last entry of a path wins, as it does when a layer is unpacked. Reads the stream once, in pieces of PIECE
    bytes.
    """
    entries: dict[str, TarEntry] = {}
    with tarfile.open(blob, "r|*", bufsize=PIECE) as archive:
        for member in archive:
            content = hashlib.sha256()
            for piece in read_pieces(archive.extractfile(member) if member.isreg() else None):
                content.update(piece)
            entries[member.name] = TarEntry(
                kind=KINDS.get(member.type, "file" if member.isreg() else "other"),
                mode=member.mode,
                size=member.size,
                content=content.hexdigest(),
                target=member.linkname,
                metadata=(int(member.mtime), member.uid, member.gid, member.uname, member.gname),
            )
    return entries


def read_pieces(file: IO[bytes] | None) -> Iterator[bytes]:
    """Yield a file's content in pieces; nothing for None."""
    while file is not None and (piece := file.read(PIECE)):
        yield piece


def find_first_byte(expected: Path, got: Path, path: str) -> tuple[int, bytes, bytes]:
    """Return the offset of the first different byte of a file, and up to 8 bytes from there in each layer."""
    before, now = read_file(expected, path), read_file(got, path)
    at = next((n for n, (one, other) in enumerate(zip(before, now, strict=False)) if one != other), None)
    at = min(len(before), len(now)) if at is None else at
    return at, before[at : at + 8], now[at : at + 8]


def read_file(blob: Path, path: str) -> bytes:
    """Read one file of a layer."""
    with tarfile.open(blob, "r|*", bufsize=PIECE) as archive:
        for member in archive:
            if member.name == path:
                file = archive.extractfile(member)
                return file.read() if file else b""
    return b""


def with_first_byte(difference: Difference, expected: Path, got: Path) -> Difference:
    """Add the first different byte to a difference of content; the paths are those of the layers' blobs."""
    at, *both = find_first_byte(expected, got, difference.path)
    sides = (
        f"{size}, {data.hex(' ') or 'end of file'} at byte {at}"
        for size, data in zip((difference.expected, difference.got), both, strict=True)
    )
    return Difference(difference.layer, difference.path, difference.kind, *sides)


def render_differences(differences: Sequence[Difference], limit: int = 10) -> str:
    """Render the first differences, one per line, and the number of the rest."""
    more = [f"and {len(differences) - limit} more"] if len(differences) > limit else []
    return "\n".join([*map(str, differences[:limit]), *more])
