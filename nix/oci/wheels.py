"""Layers of wheels: the files that pip would install, without those that no function reads. No pip is run."""

import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .bytecode import add_bytecode
from .contents import Contents, File, InMemory
from .digest import digest_file, require
from .exceptions import OciError, UnsafePath
from .paths import SITE
from .services import is_left_out
from .strip import StrippedFile

# Licences and dist-info/METADATA stay, for importlib.metadata and scanners.
DROPPED = re.compile(
    "|".join(
        (
            r"(^|.*/)(_?tests?|__pycache__)/",
            r"(.*/)?conftest\.py$",
            r"xgboost/testing/",
            r".*\.(pyi|pxd|pyx|pxi|h|hpp|hh|c|cc|cpp|a|lib|f|f90|cmake)$",
            r"[^/]+\.dist-info/(RECORD|RECORD\.jws|INSTALLER|REQUESTED|direct_url\.json|sboms/.*)$",
            r"sklearn/datasets/images/",
        )
    )
)
LICENCE = re.compile(r"(^|/)(licen[cs]es?/|(licen[cs]e|copying|notice)[^/]*$)", re.IGNORECASE)
LIBRARY = re.compile(r"\.so(\.|$)")
PIECE = 4 << 20  # unpacked at once: zlib needs twice what it returns
# Of a wheel's *.data folders, pip installs these two beside its modules; no function needs scripts, headers and data.
INSTALLED_DATA = re.compile(r"[^/]+\.data/(?:purelib|platlib)/(.+)")
OTHER_DATA = re.compile(r"[^/]+\.data/")


@dataclass(frozen=True)
class OpenWheel:
    """An open wheel: the distribution's normalized name, its *.dist-info folder, and the archive."""

    name: str
    info_folder: str
    archive: zipfile.ZipFile


@dataclass(frozen=True)
class WheelMember:
    """A file in a wheel."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def read(self) -> bytes:
        """Return the unpacked bytes; zipfile verifies their CRC."""
        with self.archive.open(self.info) as file:
            return b"".join(iter(lambda: file.read(PIECE), b""))


def collect_wheels(inputs: Sequence[tuple[Path, str | None]], licences: Path | None) -> Contents:
    """Collect the entries of a layer of wheels; `inputs` are paths with their expected digests, if known.

    `licences` is a folder with NAME.txt for each wheel without a licence. The order of the inputs does not matter.
    Raises InputMismatch, PathConflict if two wheels have the same path, and OciError for an invalid wheel.
    """
    contents = Contents()
    wheels = [open_wheel(path, digest) for path, digest in inputs]
    for wheel in sorted(wheels, key=lambda wheel: wheel.name.encode()):
        add_wheel(contents, wheel, licences)
    add_bytecode(contents)
    return contents


def open_wheel(path: Path, digest: str | None) -> OpenWheel:
    """Open the wheel at `path`; the archive stays open until its members are read. Raises InputMismatch and OciError.

    Its file name is not used: in a Nix store it is no wheel name.
    """
    if digest is not None:
        require(f"the wheel {path}", digest, digest_file(path))
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as problem:
        raise OciError(f"not a wheel: {path}: {problem}\n  next: delete it and fetch it again") from problem
    for member in archive.namelist():
        folder, _, file = member.partition("/")
        if folder.endswith(".dist-info") and file == "METADATA":
            return OpenWheel(read_distribution_name(archive.read(member), path), folder, archive)
    raise OciError(f"not a wheel: {path}: it has no dist-info/METADATA")


def normalize_name(name: str) -> str:
    """Normalize a distribution's name as PEP 503 defines it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_distribution_name(metadata: bytes, path: Path) -> str:
    """Return the normalized name in a METADATA file; raises OciError if it has none."""
    for line in metadata.decode("utf-8", "replace").splitlines():
        if line.startswith("Name:"):
            return normalize_name(line.removeprefix("Name:").strip())
    raise OciError(f"not a wheel: {path}: its METADATA has no Name")


def add_wheel(contents: Contents, wheel: OpenWheel, licences: Path | None) -> None:
    """Add the installed files of one wheel; exactly those, and at least one licence.

    Shared objects are stripped. Raises PathConflict if another wheel has the same path, UnsafePath as `list_members`
    and OciError as `find_licence`.
    """
    licensed = False
    for path, info in list_members(wheel):
        licensed = licensed or bool(LICENCE.search(path))
        member = WheelMember(wheel.archive, info)
        data = StrippedFile(member) if LIBRARY.search(path) else member
        file = File(data, bool(info.external_attr >> 16 & 0o111))
        contents.add(f"{SITE}/{path}", file, wheel.name)
    if not licensed:
        text = find_licence(wheel.name, licences)
        contents.add(f"{SITE}/{wheel.info_folder}/licenses/LICENSE", text, wheel.name)


def list_members(wheel: OpenWheel) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield (path below site-packages, member) of every file to install, in the order of the archive.

    Raises UnsafePath for a symbolic link, and for two members of one path, of which extractors pick different ones.
    """
    paths: set[str] = set()
    for info in wheel.archive.infolist():
        path = map_member(info.filename)
        if path is None or info.is_dir():
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UnsafePath(f"the wheel {wheel.name} has a symbolic link, which wheels must not: {info.filename}")
        if path in paths:
            raise UnsafePath(f"the wheel {wheel.name} has {path} twice")
        paths.add(path)
        yield path, info


def map_member(member: str) -> str | None:
    """Return the path of a member below site-packages; None if it is left out."""
    if match := INSTALLED_DATA.match(member):
        member = match[1]
    elif OTHER_DATA.match(member):
        return None
    return None if DROPPED.match(member) or is_left_out(member) else member


def find_licence(name: str, licences: Path | None) -> File:
    """Return the licence text in `licences` for a wheel without one; raises OciError if there is none."""
    path = None if licences is None else licences / f"{name}.txt"
    if path is None or not path.exists():
        raise OciError(
            f"the wheel {name} has no licence text, which every package in the image needs\n"
            f"  next: put it into nix/licences/{name}.txt"
        )
    return File(InMemory(path.read_bytes()))
