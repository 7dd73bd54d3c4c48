"""The image's bill of materials as SPDX 2.3 JSON, from the CycloneDX document in the image: the same facts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NOT_KNOWN = "NOASSERTION"
DOCUMENT, PREFIX = "SPDXRef-DOCUMENT", "SPDXRef-"
TOOL = "Tool: score-processor nix.spdx"
# Wheels give several licences as a list without saying whether all apply or one may be chosen: all are named.
TOGETHER = " AND "

Json = dict[str, Any]


def convert_bill(bill: Mapping[str, Any]) -> Json:
    """Convert a CycloneDX document; the same document gives the same values."""
    subject = bill["metadata"]["component"]
    licences = LicenceNames()
    components = [*walk_components(bill["components"])]
    image = {**convert_component(subject, licences), "primaryPackagePurpose": "CONTAINER"}
    packages = [image, *(convert_component(entry, licences) for entry, _ in components)]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": f"{subject['name']} {subject['version']}",
        "documentNamespace": bill["serialNumber"],
        "creationInfo": {"created": bill["metadata"]["timestamp"], "creators": [TOOL, *list_authors(bill["metadata"])]},
        "packages": packages,
        "hasExtractedLicensingInfos": licences.list_extracted(),
        "relationships": [*list_relationships(bill, components)],
    }


def list_authors(metadata: Mapping[str, Any]) -> list[str]:
    """Return the document's authors as SPDX's creators."""
    return [f"Organization: {entry['name']}" for entry in metadata.get("authors", ())]


def walk_components(entries: Sequence[Json], owner: str = "") -> Iterator[tuple[Json, str]]:
    """Yield every component with the reference of the one that it is nested in."""
    for entry in entries:
        yield entry, owner
        yield from walk_components(entry.get("components", ()), entry["bom-ref"])


def create_identifier(reference: str) -> str:
    """Return the SPDX identifier of a reference: letters, digits, dots and hyphens; other characters as hexadecimal."""
    return PREFIX + re.sub(r"[^A-Za-z0-9.-]", lambda match: f"-{ord(match[0]):x}-", reference)


def convert_component(entry: Mapping[str, Any], licences: "LicenceNames") -> Json:
    """Return the SPDX package of a component."""
    supplier = entry.get("supplier", {}).get("name", NOT_KNOWN)
    result: Json = {
        "SPDXID": create_identifier(entry["bom-ref"]),
        "name": entry["name"],
        "versionInfo": entry["version"],
        "supplier": supplier if supplier == NOT_KNOWN else f"Organization: {supplier}",
        "downloadLocation": NOT_KNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": NOT_KNOWN,
        "licenseDeclared": licences.create_expression(entry.get("licenses", ())),
        "copyrightText": NOT_KNOWN,
    }
    if checksums := [convert_hash(one) for one in entry.get("hashes", ())]:
        result["checksums"] = checksums
    if purl := entry.get("purl"):
        reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
        result["externalRefs"] = [reference]
    return result


def convert_hash(entry: Mapping[str, str]) -> Json:
    """Return a hash under SPDX's name of its algorithm, which has no hyphen but in SHA3 and BLAKE2."""
    name = entry["alg"]
    return {
        "algorithm": name.replace("-", "", 1) if name.startswith("SHA-") else name,
        "checksumValue": entry["content"],
    }


class LicenceNames:
    """The licences that packages name in words of their own: SPDX wants an identifier and the text for each."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def create_expression(self, entries: Sequence[Mapping[str, Any]]) -> str:
        """Return a licence expression; names that are no SPDX identifiers become references."""
        words = [self._word(entry) for entry in entries]
        compound = [f"({word})" if " " in word and len(words) > 1 else word for word in words]
        return TOGETHER.join(compound) or NOT_KNOWN

    def _word(self, entry: Mapping[str, Any]) -> str:
        if "expression" in entry:
            return str(entry["expression"])
        licence = entry["license"]
        if "id" in licence:
            return str(licence["id"])
        reference = "LicenseRef-" + create_identifier(licence["name"]).removeprefix(PREFIX)
        self._names[reference] = licence["name"]
        return reference

    def list_extracted(self) -> list[Json]:
        """Return the references with the names behind them, sorted; the full texts are in the image."""
        return [
            {"licenseId": key, "name": name, "extractedText": f"The package names its licence: {name}"}
            for key, name in sorted(self._names.items())
        ]


def list_relationships(bill: Mapping[str, Any], components: Sequence[tuple[Json, str]]) -> Iterator[Json]:
    """Yield what the document describes, what the image and its wheels contain, and what packages depend on.

    A package within a wheel is contained by the wheel, any other by the image.
    """
    subject = bill["metadata"]["component"]["bom-ref"]
    owners = {entry["bom-ref"]: owner or subject for entry, owner in components}
    yield create_relationship(DOCUMENT, "DESCRIBES", create_identifier(subject))
    for reference, owner in owners.items():
        yield create_relationship(create_identifier(owner), "CONTAINS", create_identifier(reference))
    for row in bill["dependencies"]:
        for target in row["dependsOn"]:
            if owners.get(target) != row["ref"]:
                yield create_relationship(create_identifier(row["ref"]), "DEPENDS_ON", create_identifier(target))


def create_relationship(subject: str, kind: str, target: str) -> Json:
    """Return one relationship."""
    return {"spdxElementId": subject, "relationshipType": kind, "relatedSpdxElement": target}
