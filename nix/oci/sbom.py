"""The software bill of materials: CycloneDX 1.6 JSON, from the locks and the packages' own metadata.

The same locks give the same bytes: serial number and version are derived from them, and the time is that of Debian's
snapshot in them. A package's supplier, dependencies and licences are its own; parts of a wheel are nested in it.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .contents import Contents, File, InMemory
from .digest import ALGORITHM, HEX
from .exceptions import OciError
from .sbom_wheels import LONGEST_NAME, NOT_KNOWN, Component, WheelFacts, read_wheel

SBOM = "usr/share/sbom/image.cdx.json"
NAMESPACE = uuid.UUID("5d0f4a3e-6a54-5f6b-9d43-3c0f8f0b7c11")  # of the serial numbers; must never change
DEB = re.compile(rf"([a-z0-9][a-z0-9+.-]+) (\S+) (\d+) ({HEX}) (\S+)")
WHEEL = re.compile(rf"([a-z0-9-]+)==(\S+) --hash={ALGORITHM}({HEX})  # (\d+) ([a-z0-9-]+)")
SNAPSHOT = re.compile(r"^snapshot (\d{8}T\d{6})Z$", re.M)
IMAGE = "score-processor"
# Source packages whose copyright file is free text.
FREE_TEXT = {
    "base-files": "GPL-2.0-or-later",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "python3.11": "PSF-2.0",
}


def collect_sbom(debs: Path, wheels: Path, root: Path, files: Sequence[Path]) -> Contents:
    """Collect the SBOM layer's one entry, from both lock files, the unpacked root and all wheel files.

    Raises OciError as `render_sbom`.
    """
    contents = Contents()
    contents.add(SBOM, File(InMemory(render_sbom(debs.read_text(), wheels.read_text(), root, files))), "sbom")
    return contents


def render_sbom(debs: str, wheels: str, root: Path, files: Sequence[Path]) -> bytes:
    """Render the document, components sorted by purl; `debs` and `wheels` are the texts of the locks.

    The order of `files` does not matter; those that are not locked are left out. Raises OciError if a locked wheel is
    not in `files`, or if one of them is not a wheel.
    """
    known = dict(map(read_wheel, files))
    deb_rows, wheel_rows = DEB.findall(debs), WHEEL.findall(wheels)
    records = {name: read_control_record(name, root) for name, *_ in deb_rows}
    distribution = name_distribution(root)
    components = [create_deb_component(row, records[row[0]], root, distribution) for row in deb_rows]
    components += [create_wheel_component(row, known) for row in wheel_rows]
    needs = {name: list_dependency_names(records[name]) for name in records}
    needs |= {name: known[sha256].requires for name, _, sha256, *_ in wheel_rows}
    pins = hashlib.sha256((debs + wheels).encode()).hexdigest()
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, pins)}",
        "version": 1,
        "metadata": {
            "timestamp": find_latest_change(debs),
            "authors": [{"name": f"the build of {IMAGE}"}],
            "component": {"type": "container", "name": IMAGE, "version": f"pins-{pins[:16]}", "bom-ref": IMAGE},
        },
        "components": sorted(components, key=lambda one: one["bom-ref"]),
        "dependencies": list_dependencies(components, needs),
    }
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def find_latest_change(debs: str) -> str:
    """Return the time of the newest snapshot of Debian's archive that the lock names; the epoch if it names none."""
    newest = max(SNAPSHOT.findall(debs), default="19700101T000000")
    return datetime.strptime(newest, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def name_distribution(root: Path) -> str:
    """Return the distribution of the root, as purls name it: `debian-12`, or `debian` if its version is unknown."""
    path = root / "usr" / "lib" / "os-release"
    match = re.search(r'^VERSION_ID="?([^"\n]+)', path.read_text(encoding="utf-8") if path.exists() else "", re.M)
    return f"debian-{match[1]}" if match else "debian"


def list_dependencies(components: Sequence[Component], needs: Mapping[str, Sequence[str]]) -> list[Component]:
    """Return the edges: the image needs every package, a package what it requires and what is built into it."""
    refs = {entry["name"]: entry["bom-ref"] for entry in components}
    rows = [{"ref": IMAGE, "dependsOn": sorted(refs.values())}]
    for entry in components:
        inside = [inner["bom-ref"] for inner in entry.get("components", ())]
        required = [refs[name] for name in needs[entry["name"]] if name in refs]
        rows.append({"ref": entry["bom-ref"], "dependsOn": sorted({*inside, *required} - {entry["bom-ref"]})})
        rows += [{"ref": ref, "dependsOn": []} for ref in inside]
    return sorted(rows, key=lambda row: str(row["ref"]))


def create_component(
    name: str, version: str, purl: str, sha256: str, licences: list[Component], supplier: str
) -> Component:
    """Return the component of one package; `sha256` is its file's, in hexadecimal. The purl is its reference too."""
    document: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "supplier": {"name": supplier},
        "hashes": [{"alg": "SHA-256", "content": sha256}],
    }
    return document | ({"licenses": licences} if licences else {})


def escape(text: str) -> str:
    """Escape a part of a purl: all but letters, digits, `.-_~`, and `:`, which a purl never escapes."""
    return quote(text, safe=":")


def read_control_record(name: str, root: Path) -> dict[str, str]:
    """Return the one-line fields of a package's control record in the root."""
    path = root / "var" / "lib" / "dpkg" / "status.d" / name
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return dict(re.findall(r"^([A-Za-z-]+): (.+)$", text, re.M))


def list_dependency_names(record: Mapping[str, str]) -> list[str]:
    """Return the names of the packages in a record's dependencies, every alternative of each."""
    listed = ", ".join(record.get(field, "") for field in ("Pre-Depends", "Depends"))
    return [found[0] for one in re.split(r"[,|]", listed) if (found := re.match(r"[a-z0-9][a-z0-9+.-]+", one.strip()))]


def create_deb_component(fields: Sequence[str], record: Mapping[str, str], root: Path, distribution: str) -> Component:
    """Return the component of a Debian package.

    `fields` are those of its line in the lock: name, version, size, sha256 and path in the pool.
    """
    name, version, _, sha256, path = fields
    arch = path.rpartition("_")[2].removesuffix(".deb")
    source = path.split("/")[-2]
    qualifiers = f"arch={arch}&distro={distribution}&upstream={escape(source)}"
    purl = f"pkg:deb/debian/{escape(name)}@{escape(version)}?{qualifiers}"
    licences = list_deb_licences(name, root) or ([{"expression": FREE_TEXT[source]}] if source in FREE_TEXT else [])
    return create_component(name, version, purl, sha256, licences, record.get("Maintainer", NOT_KNOWN))


def list_deb_licences(name: str, root: Path) -> list[Component]:
    """Return the licence names in a package's copyright file; [] unless it is machine-readable (DEP 5)."""
    path = root / "usr" / "share" / "doc" / name / "copyright"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if not re.search(r"^Format:", text, re.M):
        return []  # free text, where `License:` starts a sentence
    names = {match.strip() for match in re.findall(r"^License: *(\S[^\n]*)$", text, re.M)}
    return [{"license": {"name": one}} for one in sorted(names) if len(one) <= LONGEST_NAME]


def create_wheel_component(fields: Sequence[str], known: dict[str, WheelFacts]) -> Component:
    """Return the component of a wheel, with what is built into it; raises OciError if its file is not known.

    `fields` are those of its line in the lock: name, version, sha256, size and layer. `known` is by sha256.
    """
    name, version, sha256, _, _ = fields
    if sha256 not in known:
        raise OciError(f"the file of the locked wheel {name} {version} is missing from the SBOM's arguments")
    facts, purl = known[sha256], f"pkg:pypi/{escape(name)}@{escape(version)}"
    whole = create_component(name, version, purl, sha256, facts.licences, facts.supplier)
    inside = {f"{purl}#{identify_place(one)}": one for one in facts.inside}
    nested: list[dict[str, Any]] = [{**one, "bom-ref": ref} for ref, one in sorted(inside.items())]
    return whole | ({"components": nested} if nested else {})


def identify_place(nested: Component) -> str:
    """Identify a nested component in its wheel: by its file, or else by its purl."""
    return str(nested["properties"][0]["value"] if "properties" in nested else nested.get("purl") or nested["name"])
