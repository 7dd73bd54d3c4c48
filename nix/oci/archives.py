"""Images in one tar file, as `docker save`, skopeo, buildah and podman write them, read in place."""

import lzma
import tarfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

from oci.digest import encoded, sha256
from oci.exceptions import OciError
from oci.scan import Scan, scan_blob
from oci.shape import CONFIG, decoded
from oci.source import Image, Notes, indexed_image

GZIP = b"\x1f\x8b"
SAVED = [{"Config": str, "Layers": [str]}]


def archive_image(path: Path) -> Image:
    """The image in an OCI archive, or else in a Docker archive; OciError when `path` is neither."""
    try:
        with tarfile.open(path) as archive:
            members = {member.name.removeprefix("./"): member for member in archive}
            return Archive(path, archive, members).image()
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RecursionError) as problem:
        told = str(problem).partition("\n")[0].rstrip(":")  # in more lines is what each decompressor said
        raise OciError(f"{path} is no tar archive of an image: {told}") from problem


class Archive:
    """An open archive."""

    def __init__(self, path: Path, archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> None:
        self._path, self._archive, self._members = path, archive, members

    def image(self) -> Image:
        """The one image in it."""
        # What newer Dockers save holds both documents; the index leads to the blobs that a push would send.
        if "index.json" in self._members:
            return indexed_image(self._document("index.json"), self._blob, workers=1)  # one file, one place in it
        if "manifest.json" in self._members:
            return self._saved_image(self._document("manifest.json"))
        raise OciError(f"{self._path} holds neither an index.json nor a manifest.json: it is no archive of an image")

    def _document(self, name: str) -> Any:
        opened = self.open(name)
        try:
            return decoded(opened.read() if opened else b"")
        except ValueError as problem:
            raise OciError(f"{self._path}: {name} is no JSON: {problem}") from problem

    def open(self, name: str) -> BinaryIO | None:
        """A file of the archive, links followed; None when it is not there."""
        try:
            return cast(BinaryIO | None, self._archive.extractfile(self._members[name]))
        except KeyError:
            return None

    def _blob(self, digest: str) -> BinaryIO | None:
        return self.open(f"blobs/sha256/{encoded(digest)}")

    def _saved_image(self, value: Any) -> Image:
        """The image that a Docker archive's manifest.json names. Its layers are plain: a push would compress them."""
        notes = Notes()
        saved = notes.shaped(value, SAVED, "manifest.json")
        if len(saved) != 1:
            notes.take("one-image", "manifest.json", f"it names {len(saved)} images")
        first: dict[str, Any] = saved[0] if saved else {}
        names = first.get("Layers") or []
        config = self._config(str(first.get("Config")), notes) if saved else {}
        layers = [{"digest": name} for name in names]
        return Image(None, 0, config, layers, [self._layer(name, notes) for name in names], notes)

    def _config(self, name: str, notes: Notes) -> Any:
        """A config, whose name tells its digest."""
        opened = self.open(name)
        if opened is None:
            notes.take("blob-missing", "config", f"the archive does not hold {name}")
            return {}
        data = opened.read()
        promised = name.rpartition("/")[2].removesuffix(".json")
        if len(promised) == 64 and sha256(data) != f"sha256:{promised}":
            notes.take("blob-digest", "config", f"its name says {promised}, its bytes are {sha256(data)}")
        try:
            return notes.shaped(decoded(data), CONFIG, "config")
        except ValueError as problem:
            notes.take("json", "config", f"it is no JSON: {problem}")
            return {}

    def _layer(self, name: str, notes: Notes) -> Scan | None:
        opened = self.open(name)
        if opened is None:
            notes.take("blob-missing", f"layer {name}", "the archive does not hold it")
            return None
        packed = opened.read(2) == GZIP
        opened.seek(0)
        return scan_blob(opened, packed=packed)
