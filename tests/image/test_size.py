"""What the image does not hold."""

import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

SUITES = re.compile(r"(^|/)_?tests?/|(^|/)conftest\.py$|/test_[^/]*/?__init__\.py$")
GRAPHICS = re.compile(r"cuda|cudnn|cublas|nccl|nvidia", re.IGNORECASE)
OPENBLAS = re.compile(r"/lib[a-z_]*(openblas(?:64_)?)[^/]*\.so[^/]*$")


@pytest.fixture(scope="module")
def files(image: dict[str, Any], layout: Path) -> list[str]:
    """The paths of all files in the image."""
    found = []
    for layer in image["layers"]:
        with tarfile.open(layout / "blobs" / layer["digest"].replace(":", "/")) as archive:
            found += [member.name for member in archive if member.isfile()]
    return found


def test_no_graphics_library(files: list[str]) -> None:
    """Lambda has no GPU, so nothing of CUDA is there."""
    assert [path for path in files if GRAPHICS.search(path)] == []


def test_no_test_suite(files: list[str]) -> None:
    """Packages come without their tests."""
    assert [path for path in files if SUITES.search(path)] == []


def test_each_kind_of_openblas_once(files: list[str]) -> None:
    """numpy's has 64-bit integers, scipy's 32-bit ones, which cannot stand for each other; neither is there twice."""
    assert sorted(match[1] for path in files if (match := OPENBLAS.search(path))) == ["openblas", "openblas64_"]
