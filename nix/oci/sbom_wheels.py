"""Read a wheel's metadata for the bill of materials: supplier, licences, requirements, and components built into it.

A wheel may contain bills of its own (PEP 770), which name the Rust crates and system libraries in it; libraries in its
`*.libs` folder are named from their files.
"""

import email.message
import email.parser
import email.policy
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .digest import digest_file, encoded
from .exceptions import OciError
from .wheels import normalize_name

CLASSIFIER = "License :: "
LONGEST_NAME = 60
NOT_KNOWN = "NOASSERTION"
Component = dict[str, Any]
BILL = re.compile(r"[^/]+\.dist-info/sboms/.+\.json")
VENDORED = re.compile(r"[^/]+\.libs/(lib[a-z_]+?[0-9]*_?)-[0-9a-f-]+\.so(?:\.([\d.]+))?")
# A library's file name → its name, a pattern that finds its version in the file, and its licence.
LIBRARIES = {
    "libscipy_openblas": ("OpenBLAS", rb"OpenBLAS (\d+\.\d+\.\d+)", "BSD-3-Clause"),
    "libscipy_openblas64_": ("OpenBLAS", rb"OpenBLAS (\d+\.\d+\.\d+)", "BSD-3-Clause"),
    "libgfortran": ("libgfortran", None, "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libgomp": ("libgomp", None, "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libquadmath": ("libquadmath", None, "LGPL-2.1-or-later"),
}


@dataclass(frozen=True)
class WheelFacts:
    """Facts of one wheel; `requires` are normalized names, `inside` the components built into it."""

    supplier: str
    licences: list[Component]
    requires: tuple[str, ...]
    inside: tuple[Component, ...]


def read_wheel(path: Path) -> tuple[str, WheelFacts]:
    """Return a wheel's sha256 in hexadecimal, and its facts; raises OciError if it is not a wheel.

    Bills in the wheel come first: a library that they name is not taken from its file's name as well.
    """
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
        if not members:
            raise OciError(f"not a wheel: {path}: it has no dist-info/METADATA")
        parser = email.parser.BytesHeaderParser(policy=email.policy.compat32)
        headers = parser.parsebytes(archive.read(members[0]))
        own = normalize_name(str(headers.get("Name", "")))
        listed = list(list_nested(archive, own))
        names = {one["name"] for one in listed}
        inside = [*listed, *(one for one in list_vendored_libraries(archive) if one["name"] not in names)]
        facts = WheelFacts(find_supplier(headers), list_licences(headers), list_requirements(headers), tuple(inside))
    return encoded(digest_file(path)), facts


def find_supplier(headers: email.message.Message) -> str:
    """Return the author or maintainer; else the owner of the repository that the project names."""
    for name in ("Author", "Maintainer", "Author-email", "Maintainer-email"):
        if text := " ".join(str(headers.get(name, "")).split()):
            return text
    match = re.search(r"https://[^/\s]+/([^/\s]+)/[^/\s]+", " ".join(map(str, headers.get_all("Project-URL", []))))
    return match[1] if match else NOT_KNOWN


def list_requirements(headers: email.message.Message) -> tuple[str, ...]:
    """Return the normalized names of the requirements that belong to no extra."""
    lines = [str(one).partition(";") for one in headers.get_all("Requires-Dist", [])]
    results = [re.match(r"[A-Za-z0-9._-]+", what) for what, _, marker in lines if "extra" not in marker]
    return tuple(sorted({normalize_name(match[0]) for match in results if match}))


def list_nested(archive: zipfile.ZipFile, own: str) -> Iterator[Component]:
    """Yield the components in a wheel's own bills, except the wheel itself."""
    for name in sorted(archive.namelist()):
        if BILL.fullmatch(name):
            for entry in json.loads(archive.read(name)).get("components", ()):
                if normalize_name(str(entry["name"])) != own:
                    yield select_identity(entry)


def select_identity(nested: Component) -> Component:
    """Return the fields of a component that identify it, without those about the machine that built it."""
    purl = str(nested.get("purl", ""))
    result: Component = {"type": "library", "name": nested["name"], "version": str(nested.get("version", NOT_KNOWN))}
    if purl:
        kept = purl.partition("?")[0] if "file:" in purl else purl.partition("#")[0]
        result["purl"] = kept.replace("+", "%2B")  # cargo's bills leave it as it is
    result["supplier"] = {"name": nested.get("author") or nested.get("supplier", {}).get("name") or NOT_KNOWN}
    return result | {key: nested[key] for key in ("hashes", "licenses") if nested.get(key)}


def list_vendored_libraries(archive: zipfile.ZipFile) -> Iterator[Component]:
    """Yield the libraries in a wheel's *.libs folder, each with the sha256 of its file before it is stripped."""
    for name in sorted(archive.namelist()):
        if match := VENDORED.fullmatch(name):
            data = archive.read(name)
            title, pattern, licence = LIBRARIES.get(match[1], (match[1], None, None))
            inner = re.search(pattern, data) if pattern else None
            version = inner[1].decode() if inner else match[2] or NOT_KNOWN
            entry: Component = {
                "type": "library",
                "name": title,
                "version": version,
                "purl": f"pkg:generic/{title}@{version}",
                "supplier": {"name": NOT_KNOWN},
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}],
                "properties": [{"name": "file", "value": name}],
            }
            yield entry | ({"licenses": [{"expression": licence}]} if licence else {})


def list_licences(headers: email.message.Message) -> list[Component]:
    """Return the licences: an SPDX expression, else classifiers, else a short License field."""
    if expression := headers.get("License-Expression"):
        return [{"expression": str(expression)}]
    classified = [str(one) for one in headers.get_all("Classifier", []) if str(one).startswith(CLASSIFIER)]
    names = {one.rpartition(" :: ")[2] for one in classified if one.count(" :: ") > 1}
    licence_lines = str(headers.get("License", "")).strip().splitlines()
    # Some packages put the whole licence text here; its first line is then the name.
    if (
        not names
        and licence_lines
        and len(licence_lines[0]) <= LONGEST_NAME
        and (len(licence_lines) == 1 or "licen" in licence_lines[0].lower())
    ):
        names = {licence_lines[0]}
    return [{"license": {"name": one}} for one in sorted(names)]
