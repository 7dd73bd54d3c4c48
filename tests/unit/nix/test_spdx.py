"""The bill of materials as SPDX."""

from typing import Any

import pytest

from nix.inventory.spdx import convert_bill


def bill(**component: Any) -> dict[str, Any]:
    """A CycloneDX document of an image with one component, and one nested in that."""
    entry = {"bom-ref": "pkg:pypi/a@1", "name": "a", "version": "1", "purl": "pkg:pypi/a@1", **component}
    inner = {"bom-ref": "pkg:pypi/a@1#x.so", "name": "x", "version": "2"}
    return {
        "serialNumber": "urn:uuid:5d0f4a3e-6a54-5f6b-9d43-3c0f8f0b7c11",
        "metadata": {
            "timestamp": "2026-01-01T00:00:00Z",
            "authors": [{"name": "the build"}],
            "component": {"name": "image", "version": "pins-1", "bom-ref": "image"},
        },
        "components": [{**entry, "components": [inner]}],
        "dependencies": [
            {"ref": "image", "dependsOn": ["pkg:pypi/a@1"]},
            {"ref": "pkg:pypi/a@1", "dependsOn": ["pkg:pypi/a@1#x.so"]},
        ],
    }


@pytest.mark.parametrize(
    ("licences", "declared", "named"),
    [
        ([], "NOASSERTION", []),
        ([{"expression": "MIT OR Apache-2.0"}], "MIT OR Apache-2.0", []),
        ([{"license": {"id": "MIT"}}], "MIT", []),
        ([{"license": {"name": "BSD License"}}], "LicenseRef-BSD-20-License", ["BSD License"]),
        ([{"expression": "A OR B"}, {"license": {"name": "C+"}}], "(A OR B) AND LicenseRef-C-2b-", ["C+"]),
    ],
)
def test_licences_are_expressions(licences: list[dict[str, Any]], declared: str, named: list[str]) -> None:
    """Expressions stay; a name that is none becomes a reference, whose name is listed once."""
    result = convert_bill(bill(licenses=licences))
    assert result["packages"][1]["licenseDeclared"] == declared
    assert [entry["name"] for entry in result["hasExtractedLicensingInfos"]] == named


def test_identifiers_are_unique_and_valid() -> None:
    """References that differ in signs only have identifiers that differ, of letters, digits, dots and hyphens."""
    names = {
        convert_bill(bill(**{"bom-ref": reference}))["packages"][1]["SPDXID"]
        for reference in ("a@1", "a#1", "a-1", "a+1")
    }
    assert names == {"SPDXRef-a-40-1", "SPDXRef-a-23-1", "SPDXRef-a-1", "SPDXRef-a-2b-1"}


def test_relationships_follow_nesting_and_dependencies() -> None:
    """The document describes the image, which contains its packages, which contain their parts."""
    rows = [
        (row["spdxElementId"], row["relationshipType"], row["relatedSpdxElement"])
        for row in convert_bill(bill())["relationships"]
    ]
    package, part = "SPDXRef-pkg-3a-pypi-2f-a-40-1", "SPDXRef-pkg-3a-pypi-2f-a-40-1-23-x.so"
    assert rows == [
        ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image"),
        ("SPDXRef-image", "CONTAINS", package),
        (package, "CONTAINS", part),
    ]
