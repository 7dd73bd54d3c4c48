"""Files that the image must not have."""

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
    results = []
    for layer in image["layers"]:
        with tarfile.open(layout / "blobs" / layer["digest"].replace(":", "/")) as archive:
            results += [member.name for member in archive if member.isfile()]
    return results


def test_no_graphics_library(files: list[str]) -> None:
    """The image has no CUDA libraries, since Lambda has no GPU."""
    assert [path for path in files if GRAPHICS.search(path)] == []


def test_no_pandas(files: list[str]) -> None:
    """pandas would be a tenth of the image, and no module in it imports pandas (decision 0090)."""
    assert [path for path in files if "/pandas/" in path] == []


def test_no_test_suite(files: list[str]) -> None:
    """Packages have no test suites."""
    assert [path for path in files if SUITES.search(path)] == []


def test_each_kind_of_openblas_once(files: list[str]) -> None:
    """There is one OpenBLAS with 64-bit integers, for numpy, and one with 32-bit integers, for SciPy."""
    assert sorted(match[1] for path in files if (match := OPENBLAS.search(path))) == ["openblas", "openblas64_"]
