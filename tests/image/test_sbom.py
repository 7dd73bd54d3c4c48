"""The image's software bill of materials."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.model.document import Document
from spdx_tools.spdx.model.package import Package
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from nix import pins, sbom
from nix.inventory.spdx import convert_bill, walk_components


@pytest.fixture(scope="module")
def document(layout: Path) -> dict[str, Any]:
    """The SBOM in the image."""
    return sbom.read(layout)


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """The SBOM is valid by CycloneDX's schema."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is None


def test_the_document_has_every_pin(document: dict[str, Any]) -> None:
    """The SBOM has every pinned package and wheel with version and hash, and nothing else."""
    results = {(one["name"], one["version"], one["hashes"][0]["content"]) for one in document["components"]}
    assert results == {(one.name, one.version, one.sha256) for one in pins.list_inputs("image")}


def test_every_package_has_a_licence_and_a_supplier(document: dict[str, Any]) -> None:
    """Every package and wheel has a licence, a supplier and a row of its dependencies in the SBOM."""
    assert [one["name"] for one in document["components"] if "licenses" not in one] == []
    assert [one["name"] for one in document["components"] if one["supplier"]["name"] == "NOASSERTION"] == []
    refs = {one["bom-ref"] for one in document["components"]}
    assert refs <= {row["ref"] for row in document["dependencies"]}


def test_vendored_libraries_are_listed(document: dict[str, Any]) -> None:
    """OpenBLAS and the compilers' libraries in numpy, SciPy, scikit-learn and XGBoost, and Rust crates, are listed."""
    inside = {one["name"]: {inner["name"] for inner in one.get("components", ())} for one in document["components"]}
    assert {"OpenBLAS", "libgfortran", "libquadmath"} <= inside["numpy"] & inside["scipy"]
    assert "libgomp" in inside["scikit-learn"] & inside["xgboost-cpu"]
    assert "serde" in inside["pydantic-core"]


@pytest.fixture(scope="module")
def parsed(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Document:
    """The bill as SPDX, as SPDX's own tools read it."""
    path = tmp_path_factory.mktemp("bill") / "image.spdx.json"
    path.write_text(json.dumps(convert_bill(document)))
    return parse_file(str(path))


def test_spdx_is_valid_by_its_own_tools(parsed: Document) -> None:
    """SPDX's tools find no fault in the SPDX document."""
    assert parsed.creation_info.spdx_version == "SPDX-2.3"
    assert [message.validation_message for message in validate_full_spdx_document(parsed)] == []


def test_both_forms_have_the_same_facts(document: dict[str, Any], parsed: Document) -> None:
    """Name, version, supplier, purl and hash of every component, and its parts, are the same in both documents."""
    components = [entry for entry, _ in walk_components(document["components"])]
    results = sorted(map(facts, parsed.packages))
    expected = [
        (
            entry["name"],
            entry["version"],
            entry["supplier"]["name"],
            entry.get("purl", ""),
            *(one["content"] for one in entry.get("hashes", ()) if one["alg"] == "SHA-256"),
        )
        for entry in components
    ]
    image = document["metadata"]["component"]
    assert results == sorted([*expected, (image["name"], image["version"], "NOASSERTION", "")])


def facts(package: Package) -> tuple[str, ...]:
    """Name, version, supplier, purl and sha256 of a package that SPDX's tools read."""
    supplier = getattr(package.supplier, "name", None) or "NOASSERTION"
    purls = [one.locator for one in package.external_references if one.reference_type == "purl"]
    hashes = [one.value for one in package.checksums if one.algorithm.name == "SHA256"]
    return (package.name, str(package.version), supplier, *(purls or [""]), *hashes)


def test_output_without_a_reader_is_no_error(layout: Path) -> None:
    """`make sbom | head` exits without an error or a traceback."""
    command = [sys.executable, str(Path(sbom.__file__)), str(layout)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"{\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
