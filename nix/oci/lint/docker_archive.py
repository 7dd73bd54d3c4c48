"""Images in a single tar file, as `docker save`, skopeo, buildah and podman write them, read in place."""

import lzma
import tarfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..digest import encoded, sha256
from ..exceptions import OciError
from .image import Image, ProblemLog, read_indexed
from .scan import Scan, scan_blob
from .shape import CONFIG, parse_json

GZIP = b"\x1f\x8b"
SAVED = [{"Config": str, "Layers": [str]}]
DAMAGED = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RecursionError)


def read_archive(path: Path) -> Image:
    """Read the image in an OCI archive or a Docker archive, compressed or not; raises OciError if it is neither."""
    try:
        with tarfile.open(path) as archive:
            members = {member.name.removeprefix("./"): member for member in archive}
            return ArchiveReader(path, archive, members).read_image()
    except DAMAGED as problem:
        if isinstance(problem, OSError) and problem.strerror:
            raise OciError(f"cannot read the image: {path}: {problem.strerror}") from problem
        reason = str(problem).partition("\n")[0].rstrip(":")
        if isinstance(problem, tarfile.ReadError) and "could not be opened" in reason:  # it tried each decompressor
            reason = f"got {_describe_start(path)}, expected a tar archive, plain or compressed by gzip, bzip2 or xz"
        raise OciError(f"not a tar archive of an image: {path}: {reason}") from problem


def _describe_start(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(8)
    return f"a file that begins with {begin!r}" if begin else "an empty file"


class ArchiveReader:
    """An open archive and its members by name."""

    def __init__(self, path: Path, archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> None:
        self._path, self._archive, self._members = path, archive, members

    def read_image(self) -> Image:
        """Read the archive's image; raises OciError if there is no index.json and no manifest.json."""
        # Docker 25 and newer write both. The index leads to the blobs that a push sends, manifest.json to plain tars.
        if "index.json" in self._members:
            # One worker: all blobs are read through one file handle.
            return read_indexed(self._document("index.json"), self._blob, workers=1)
        if "manifest.json" in self._members:
            return self._saved_image(self._document("manifest.json"))
        raise OciError(f"not an archive of an image: {self._path}: got neither an index.json nor a manifest.json")

    def _document(self, name: str) -> Any:
        opened = self._open(name)
        try:
            return parse_json(opened.read() if opened else b"")
        except ValueError as problem:
            raise OciError(f"invalid JSON: {self._path}: {name}: {problem}") from problem

    def _open(self, name: str) -> BinaryIO | None:
        try:
            return cast(BinaryIO | None, self._archive.extractfile(self._members[name]))
        except KeyError:
            return None

    def _blob(self, digest: str) -> BinaryIO | None:
        return self._open(f"blobs/sha256/{encoded(digest)}")

    def _saved_image(self, value: Any) -> Image:
        """Read the image in a Docker archive's manifest.json. Uncompressed layers are fine: a push compresses them."""
        log = ProblemLog()
        saved = log.keep_shape(value, SAVED, "manifest.json")
        if len(saved) != 1:
            log.add("one-image", "manifest.json", f"got {len(saved)} images, expected one")
        first: dict[str, Any] = saved[0] if saved else {}
        names = first.get("Layers") or []
        config = self._config(str(first.get("Config")), log) if saved else {}
        layers = [{"digest": name} for name in names]
        return Image(None, 0, config, layers, [self._layer(name, log) for name in names], log)

    def _config(self, name: str, log: ProblemLog) -> Any:
        opened = self._open(name)
        if opened is None:
            log.add("blob-missing", "config", f"the archive has no file {name}")
            return {}
        data = opened.read()
        expected = name.rpartition("/")[2].removesuffix(".json")  # Docker names a config by its digest
        if len(expected) == 64 and sha256(data) != f"sha256:{expected}":
            log.add("blob-digest", "config", f"got {sha256(data)}, expected sha256:{expected} as its name says")
        try:
            return log.keep_shape(parse_json(data), CONFIG, "config")
        except ValueError as problem:
            log.add("json", "config", f"invalid JSON: {problem}")
            return {}

    def _layer(self, name: str, log: ProblemLog) -> Scan | None:
        opened = self._open(name)
        if opened is None:
            log.add("blob-missing", f"layer {name}", "the archive has no file of this name")
            return None
        packed = opened.read(2) == GZIP
        opened.seek(0)
        return scan_blob(opened, packed=packed)
