"""The bill of materials."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from nix.oci.exceptions import OciError
from nix.oci.sbom import escape, list_deb_licences, render_sbom

DEB = f"libexpat1 2.5.0-1+deb12u2 98288 {'a' * 64} pool/main/e/expat/libexpat1_2.5.0-1+deb12u2_amd64.deb\n"
COPYRIGHT = "Format: 1.0\n\nFiles: *\nCopyright: someone\nLicense: MIT\n the text\n\nLicense: GPL-2+\n"


def wheel(folder: Path, headers: str, files: dict[str, str] | None = None) -> tuple[Path, str]:
    """Return a wheel with this METADATA, and its line in a lock."""
    path, metadata = folder / "tiny.whl", f"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n{headers}\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny-1.0.dist-info/METADATA", metadata)
        for name, text in (files or {}).items():
            archive.writestr(name, text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, f"tiny==1.0 --hash=sha256:{digest}  # {path.stat().st_size} small\n"


def document(folder: Path, headers: str = "", files: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a bill of one package and one wheel."""
    doc = folder / "root/usr/share/doc/libexpat1"
    doc.mkdir(parents=True)
    (doc / "copyright").write_text(COPYRIGHT)
    status = folder / "root/var/lib/dpkg/status.d"
    status.mkdir(parents=True)
    (status / "libexpat1").write_text("Package: libexpat1\nMaintainer: A Person <a@b.test>\n")
    (folder / "root/usr/lib").mkdir()
    (folder / "root/usr/lib/os-release").write_text('NAME="Debian"\nVERSION_ID="12"\n')
    path, line = wheel(folder, headers, files)
    by_name: dict[str, Any] = json.loads(render_sbom(DEB, line, folder / "root", [path]))
    return by_name


def components(folder: Path, headers: str = "", files: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the components of a bill of one package and one wheel, by name."""
    return {one["name"]: one for one in document(folder, headers, files)["components"]}


def test_a_package_has_its_purl_hash_and_licences(tmp_path: Path) -> None:
    """A Debian package is named by an escaped purl, its archive's sha256 and the short names of its copyright file."""
    result = components(tmp_path)["libexpat1"]
    assert result["purl"] == "pkg:deb/debian/libexpat1@2.5.0-1%2Bdeb12u2?arch=amd64&distro=debian-12&upstream=expat"
    assert result["supplier"] == {"name": "A Person <a@b.test>"}
    assert result["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert result["licenses"] == [{"license": {"name": "GPL-2+"}}, {"license": {"name": "MIT"}}]


def test_a_file_that_is_no_wheel_is_named(tmp_path: Path) -> None:
    """An archive without METADATA is refused by its name; it does not end the reading of the wheels after it."""
    path, line = wheel(tmp_path, "")
    other = tmp_path / "other.whl"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("other/__init__.py", "")
    with pytest.raises(OciError, match=r"not a wheel: .*other\.whl"):
        render_sbom("", line, tmp_path, [other, path])


def test_a_purl_escapes_all_but_colons() -> None:
    """A purl escapes plus signs in names and versions, and never a colon."""
    assert (escape("libstdc++6"), escape("1:1.2.13~rc1+b2")) == ("libstdc%2B%2B6", "1:1.2.13~rc1%2Bb2")


def test_a_licence_in_free_text_has_no_name(tmp_path: Path) -> None:
    """A copyright file without a format of its own is no list of names, whatever its lines begin with."""
    folder = tmp_path / "usr/share/doc/python3.11-minimal"
    folder.mkdir(parents=True)
    (folder / "copyright").write_text("This package was put together by hand.\n\nLicense: By using this software\n")
    assert list_deb_licences("python3.11-minimal", tmp_path) == []


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
    result = components(tmp_path, headers)["tiny"]
    assert (result["purl"], result.get("licenses")) == ("pkg:pypi/tiny@1.0", licences)


CRATES = {
    "components": [
        {"name": "Tiny", "version": "1.0", "purl": "pkg:cargo/tiny@1.0"},
        {
            "name": "ahash",
            "version": "0.8+a",
            "purl": "pkg:cargo/ahash@0.8+a?download_url=file:///home/x",
            "author": "T",
        },
        {"name": "libgomp", "version": "8.5", "purl": "pkg:rpm/x/libgomp@8.5#0123"},
    ]
}


def test_what_is_built_into_a_wheel_is_nested_in_it(tmp_path: Path) -> None:
    """A wheel's own bill and the libraries beside its modules are merged, each once, without build paths."""
    files = {
        "tiny-1.0.dist-info/sboms/a.cyclonedx.json": json.dumps(CRATES),
        "tiny.libs/libgomp-e985bcbb.so.1.0.0": "ELF",
        "tiny.libs/libscipy_openblas64_-32a4b2a6.so": "ELF OpenBLAS 0.3.31 DYNAMIC_ARCH",
        "tiny.libs/libgfortran-040039e1-0352e75f.so.5.0.0": "ELF one",
        "tiny.libs/libgfortran-8f1e9814.so.5.0.0": "ELF other",
    }
    inside = components(tmp_path, "", files)["tiny"]["components"]
    assert sorted((one["name"], one["version"], one["purl"]) for one in inside) == [
        ("OpenBLAS", "0.3.31", "pkg:generic/OpenBLAS@0.3.31"),
        ("ahash", "0.8+a", "pkg:cargo/ahash@0.8%2Ba"),
        ("libgfortran", "5.0.0", "pkg:generic/libgfortran@5.0.0"),
        ("libgfortran", "5.0.0", "pkg:generic/libgfortran@5.0.0"),
        ("libgomp", "8.5", "pkg:rpm/x/libgomp@8.5"),
    ]
    assert len({one["bom-ref"] for one in inside}) == 5


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ("Author: A", "A"),
        ("Maintainer-email: m@x.test", "m@x.test"),
        ("Project-URL: Source, https://forge.test/owner/tiny", "owner"),
        ("", "NOASSERTION"),
    ],
)
def test_a_wheel_names_its_supplier(tmp_path: Path, headers: str, name: str) -> None:
    """The supplier is the author, the maintainer, or the owner of the repository; nothing is guessed."""
    assert components(tmp_path, headers)["tiny"]["supplier"] == {"name": name}


def test_the_document_has_the_minimum_elements(tmp_path: Path) -> None:
    """NTIA's minimum: supplier, name, version, identifier, relationships, author and time."""
    result = document(tmp_path, "Requires-Dist: libexpat1\nRequires-Dist: absent\nRequires-Dist: x; extra == 'y'")
    assert result["metadata"]["authors"]
    assert result["metadata"]["timestamp"] == "1970-01-01T00:00:00Z"
    assert result["metadata"]["component"]["version"].startswith("pins-")
    assert all(one[key] for one in result["components"] for key in ("supplier", "name", "version", "purl"))
    edges = {row["ref"]: row["dependsOn"] for row in result["dependencies"]}
    refs = {one["name"]: one["bom-ref"] for one in result["components"]}
    assert edges["score-processor"] == sorted(refs.values())
    assert edges[refs["tiny"]] == [refs["libexpat1"]]


def test_the_same_locks_make_the_same_bytes(tmp_path: Path) -> None:
    """Neither time nor place shows in the document."""
    path, line = wheel(tmp_path, "")
    again = tmp_path / "elsewhere"
    again.mkdir()
    copy = again / "other name.whl"
    copy.write_bytes(path.read_bytes())
    assert render_sbom(DEB, line, tmp_path, [path]) == render_sbom(DEB, line, again, [copy])


def test_a_wheel_that_was_not_given_is_named(tmp_path: Path) -> None:
    """A locked wheel without its file raises OciError."""
    _, line = wheel(tmp_path, "")
    with pytest.raises(OciError, match=r"the file of the locked wheel tiny 1\.0 is missing"):
        render_sbom(DEB, line, tmp_path, [])
