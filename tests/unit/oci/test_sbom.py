"""The bill of materials."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from oci.exceptions import OciError
from oci.sbom import deb_licences, sbom

DEB = f"libexpat1 2.5.0-1+deb12u2 98288 {'a' * 64} pool/main/e/expat/libexpat1_2.5.0-1+deb12u2_amd64.deb\n"
COPYRIGHT = "Format: 1.0\n\nFiles: *\nCopyright: someone\nLicense: MIT\n the text\n\nLicense: GPL-2+\n"


def wheel(folder: Path, headers: str) -> tuple[Path, str]:
    """A wheel with this METADATA, and its line in a lock."""
    path, told = folder / "tiny.whl", f"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n{headers}\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny-1.0.dist-info/METADATA", told)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, f"tiny==1.0 --hash=sha256:{digest}  # {path.stat().st_size} small\n"


def components(folder: Path, headers: str = "") -> dict[str, Any]:
    """The components of a bill of one package and one wheel, by name."""
    doc = folder / "root/usr/share/doc/libexpat1"
    doc.mkdir(parents=True)
    (doc / "copyright").write_text(COPYRIGHT)
    path, line = wheel(folder, headers)
    return {one["name"]: one for one in json.loads(sbom(DEB, line, folder / "root", [path]))["components"]}


def test_a_package_has_its_purl_hash_and_licences(tmp_path: Path) -> None:
    """A Debian package is named by an escaped purl, its archive's sha256 and the short names of its copyright file."""
    found = components(tmp_path)["libexpat1"]
    assert found["purl"] == "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?arch=amd64"
    assert found["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert found["licenses"] == [{"license": {"name": "GPL-2+"}}, {"license": {"name": "MIT"}}]


def test_a_licence_in_free_text_has_no_name(tmp_path: Path) -> None:
    """A copyright file without a format of its own is no list of names, whatever its lines begin with."""
    folder = tmp_path / "usr/share/doc/python3.11-minimal"
    folder.mkdir(parents=True)
    (folder / "copyright").write_text("This package was put together by hand.\n\nLicense: By using this software\n")
    assert deb_licences("python3.11-minimal", tmp_path) == []


@pytest.mark.parametrize(
    ("headers", "licences"),
    [
        ("License-Expression: Apache-2.0 OR MIT", [{"expression": "Apache-2.0 OR MIT"}]),
        ("Classifier: License :: OSI Approved :: BSD License", [{"license": {"name": "BSD License"}}]),
        ("License: ISC", [{"license": {"name": "ISC"}}]),
        ("License: MIT License\n        \n        Permission is hereby", [{"license": {"name": "MIT License"}}]),
        ("License: a text\n  of several lines", None),
    ],
)
def test_a_wheel_says_its_licence(tmp_path: Path, headers: str, licences: Any) -> None:
    """An SPDX expression comes first, then classifiers, then a short name; a whole text is none of them."""
    found = components(tmp_path, headers)["tiny"]
    assert (found["purl"], found.get("licenses")) == ("pkg:pypi/tiny@1.0", licences)


def test_the_same_locks_make_the_same_bytes(tmp_path: Path) -> None:
    """Neither time nor place shows in the document."""
    path, line = wheel(tmp_path, "")
    again = tmp_path / "elsewhere"
    again.mkdir()
    copy = again / "other name.whl"
    copy.write_bytes(path.read_bytes())
    assert sbom(DEB, line, tmp_path, [path]) == sbom(DEB, line, again, [copy])


def test_a_wheel_that_was_not_given_is_named(tmp_path: Path) -> None:
    """A bill cannot leave out what the lock names."""
    _, line = wheel(tmp_path, "")
    with pytest.raises(OciError, match=r"the wheel tiny 1\.0 of the lock was not given"):
        sbom(DEB, line, tmp_path, [])
