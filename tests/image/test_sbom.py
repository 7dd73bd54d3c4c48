"""The image's bill of materials."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pins
import pytest
import sbom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


@pytest.fixture(scope="module")
def document(layout: Path) -> dict[str, Any]:
    """The document in the image."""
    return sbom.read(layout)


def test_it_is_valid(document: dict[str, Any]) -> None:
    """The document keeps CycloneDX's own schema."""
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(document)) is None


def test_it_holds_what_the_locks_pin(document: dict[str, Any]) -> None:
    """Every pinned package and wheel is in it, with version and hash, and nothing else."""
    found = {(one["name"], one["version"], one["hashes"][0]["content"]) for one in document["components"]}
    assert found == {(one.name, one.version, one.sha256) for one in pins.inputs_of("image")}


def test_every_wheel_says_its_licence(document: dict[str, Any]) -> None:
    """A wheel whose licence cannot be told would need to be looked at."""
    silent = [one["name"] for one in document["components"] if ":pypi/" in one["purl"] and "licenses" not in one]
    assert silent == []


def test_a_reader_may_have_enough(layout: Path) -> None:
    """`make sbom | head` is no failure, and has no traceback."""
    command = [sys.executable, str(Path(sbom.__file__)), str(layout)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"{\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
