"""Layers of wheels: what pip would install, less what no function reads, without running pip."""

import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from oci.bytecode import add_bytecode
from oci.contents import Contents, File, Held
from oci.digest import of_file, require
from oci.exceptions import OciError, UnsafePath
from oci.places import SITE
from oci.services import is_left_out
from oci.strip import Stripped

# Licences and dist-info/METADATA stay: importlib.metadata and scanners read them.
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
# Of a wheel's *.data folders these two are installed beside its modules; scripts, headers and data are for people.
INSTALLED_DATA = re.compile(r"[^/]+\.data/(?:purelib|platlib)/(.+)")
OTHER_DATA = re.compile(r"[^/]+\.data/")


@dataclass(frozen=True)
class Wheel:
    """An open wheel: the distribution's normalized name, its *.dist-info folder and its members."""

    name: str
    info_folder: str
    archive: zipfile.ZipFile


@dataclass(frozen=True)
class Member:
    """A file in a wheel."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def read(self) -> bytes:
        """The unpacked bytes; zipfile compares their CRC."""
        return self.archive.read(self.info)


def wheel_contents(inputs: Sequence[tuple[Path, str | None]], licences: Path | None) -> Contents:
    """The entries of a layer that holds wheels, given as path and the digest that it must have, where one is known.

    `licences` has a text for each wheel that brings none.
    """
    contents = Contents()
    wheels = [open_wheel(path, digest) for path, digest in inputs]
    for wheel in sorted(wheels, key=lambda wheel: wheel.name.encode()):
        add_wheel(contents, wheel, licences)
    add_bytecode(contents)
    return contents


def open_wheel(path: Path, digest: str | None) -> Wheel:
    """The wheel at `path`, whatever the file is called: a Nix store path has no proper wheel name."""
    if digest is not None:
        require(f"the wheel {path}", digest, of_file(path))
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as problem:
        raise OciError(f"{path} is no wheel: {problem}\n  Delete it and fetch it again.") from problem
    for member in archive.namelist():
        folder, _, file = member.partition("/")
        if folder.endswith(".dist-info") and file == "METADATA":
            return Wheel(distribution(archive.read(member), path), folder, archive)
    raise OciError(f"{path} has no dist-info/METADATA, so it is no wheel")


def distribution(metadata: bytes, path: Path) -> str:
    """The normalized name in a METADATA file."""
    for line in metadata.decode("utf-8", "replace").splitlines():
        if line.startswith("Name:"):
            return re.sub(r"[-_.]+", "-", line.removeprefix("Name:").strip()).lower()
    raise OciError(f"METADATA in {path} names no distribution")


def add_wheel(contents: Contents, wheel: Wheel, licences: Path | None) -> None:
    """Add the installed files of one wheel, and a licence."""
    licensed = False
    for path, info in members(wheel):
        licensed = licensed or bool(LICENCE.search(path))
        member = Member(wheel.archive, info)
        data = Stripped(member) if LIBRARY.search(path) else member
        file = File(data, bool(info.external_attr >> 16 & 0o111))
        contents.add(f"{SITE}/{path}", file, wheel.name)
    if not licensed:
        text = own_licence(wheel.name, licences)
        contents.add(f"{SITE}/{wheel.info_folder}/licenses/LICENSE", text, wheel.name)


def members(wheel: Wheel) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """(path below the site folder, member) of every file that a function may read."""
    seen: set[str] = set()
    for info in wheel.archive.infolist():
        path = installed_path(info.filename)
        if path is None or info.is_dir():
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UnsafePath(f"the wheel {wheel.name} holds a symbolic link, {info.filename}; wheels may not")
        if path in seen:
            raise UnsafePath(f"the wheel {wheel.name} holds {path} twice")
        seen.add(path)
        yield path, info


def installed_path(member: str) -> str | None:
    """Where a member goes below the site folder; None when it is left out."""
    if match := INSTALLED_DATA.match(member):
        member = match[1]
    elif OTHER_DATA.match(member):
        return None
    return None if DROPPED.match(member) or is_left_out(member) else member


def own_licence(name: str, licences: Path | None) -> File:
    """The licence text that this project carries for `name`."""
    path = None if licences is None else licences / f"{name}.txt"
    if path is None or not path.exists():
        raise OciError(
            f"the wheel {name} brings no licence text\n"
            f"  Every package in the image needs one: put it into nix/licences/{name}.txt."
        )
    return File(Held(path.read_bytes()))
