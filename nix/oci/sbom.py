"""The software bill of materials: CycloneDX 1.5 JSON, from the locks and what packages say of their licences.

Nothing in it depends on when or where it is made: the serial number comes from the locks, and there is no time.
"""

import email.parser
import email.policy
import hashlib
import json
import re
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oci.contents import Contents, File, Held
from oci.exceptions import OciError

SBOM = "usr/share/sbom/image.cdx.json"
NAMESPACE = uuid.UUID("5d0f4a3e-6a54-5f6b-9d43-3c0f8f0b7c11")  # of serial numbers; never changed
DEB = re.compile(r"([a-z0-9][a-z0-9+.-]+) (\S+) (\d+) ([0-9a-f]{64}) (\S+)")
WHEEL = re.compile(r"([a-z0-9-]+)==(\S+) --hash=sha256:([0-9a-f]{64})  # (\d+) ([a-z0-9-]+)")
CLASSIFIER = "License :: "
LONGEST_NAME = 60
Component = dict[str, Any]


def sbom_contents(debs: Path, wheels: Path, root: Path, files: Sequence[Path]) -> Contents:
    """The entry of the layer: locks of packages and wheels, the unpacked root, and every wheel."""
    contents = Contents()
    contents.add(SBOM, File(Held(sbom(debs.read_text(), wheels.read_text(), root, files))), "sbom")
    return contents


def sbom(debs: str, wheels: str, root: Path, files: Sequence[Path]) -> bytes:
    """The document; OciError when a wheel of the lock was not given."""
    known = dict(map(wheel_licence, files))
    components = [deb_component(found, root) for found in DEB.findall(debs)]
    components += [wheel_component(found, known) for found in WHEEL.findall(wheels)]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, hashlib.sha256((debs + wheels).encode()).hexdigest())}",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "score-processor", "bom-ref": "score-processor"}},
        "components": sorted(components, key=lambda one: one["bom-ref"]),
    }
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def component(name: str, version: str, purl: str, sha256: str, licences: list[Component]) -> Component:
    """One package."""
    found: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
    }
    return found | ({"licenses": licences} if licences else {})


def deb_component(found: Sequence[str], root: Path) -> Component:
    """A Debian package; `+` and `:` of its version are escaped in its purl."""
    name, version, _, sha256, path = found
    arch = path.rpartition("_")[2].removesuffix(".deb")
    escaped = version.replace("%", "%25").replace("+", "%2B").replace(":", "%3A")
    return component(name, version, f"pkg:deb/debian/{name}@{escaped}?arch={arch}", sha256, deb_licences(name, root))


def deb_licences(name: str, root: Path) -> list[Component]:
    """The short names in a package's copyright file, where it is in the machine-readable form (DEP 5)."""
    path = root / "usr" / "share" / "doc" / name / "copyright"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if not re.search(r"^Format:", text, re.M):
        return []  # free text: what follows a `License:` there is a sentence, no name
    names = {match.strip() for match in re.findall(r"^License: *(\S[^\n]*)$", text, re.M)}
    return [{"license": {"name": one}} for one in sorted(names) if len(one) <= LONGEST_NAME]


def wheel_component(found: Sequence[str], known: dict[str, list[Component]]) -> Component:
    """A wheel."""
    name, version, sha256, _, _ = found
    if sha256 not in known:
        raise OciError(f"the wheel {name} {version} of the lock was not given to the bill of materials")
    return component(name, version, f"pkg:pypi/{name}@{version}", sha256, known[sha256])


def wheel_licence(path: Path) -> tuple[str, list[Component]]:
    """A wheel's sha256, and what its METADATA says: an SPDX expression, else classifiers, else a short name."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with zipfile.ZipFile(path) as archive:
        member = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        parser = email.parser.BytesHeaderParser(policy=email.policy.compat32)
        headers = parser.parsebytes(archive.read(member))
    if expression := headers.get("License-Expression"):
        return sha256, [{"expression": str(expression)}]
    classified = [str(one) for one in headers.get_all("Classifier", []) if str(one).startswith(CLASSIFIER)]
    names = {one.rpartition(" :: ")[2] for one in classified if one.count(" :: ") > 1}
    told = str(headers.get("License", "")).strip().splitlines()
    # Some put the whole text there; its first line is the licence's name.
    if not names and told and len(told[0]) <= LONGEST_NAME and (len(told) == 1 or "licen" in told[0].lower()):
        names = {told[0]}
    return sha256, [{"license": {"name": one}} for one in sorted(names)]
