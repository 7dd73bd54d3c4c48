"""The size budget of the image, its layers and packages."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from nix.oci.budget import OverBudget, check_budget
from nix.oci.layer import LayerRecord, PackageSize

CEILINGS = """
[total]
compressed = 3
unpacked = 10
[compressed]
base = 2
[unpacked]
numpy = 5
[others]
compressed = 1
unpacked = 1
"""


def layer(folder: Path, name: str, size: int, **packages: int) -> Path:
    """Return a layer folder with a blob of `size` bytes, and packages with files of these sizes."""
    folder = folder / name
    folder.mkdir()
    shares = {package: PackageSize(1, count) for package, count in packages.items()}
    record = LayerRecord(name, "sha256:0", "sha256:0", size, sum(packages.values()), shares)
    (folder / "layer.json").write_text(json.dumps(asdict(record)))
    return folder


@pytest.fixture
def budget(tmp_path: Path) -> Path:
    """A budget file."""
    path = tmp_path / "budget.toml"
    path.write_text(CEILINGS)
    return path


def test_a_size_at_its_maximum_passes(budget: Path, tmp_path: Path) -> None:
    """A size equal to its maximum is within the budget."""
    check_budget([layer(tmp_path, "base", 2_000_000, numpy=5_000_000), layer(tmp_path, "x", 1_000_000)], budget)


def test_every_excess_is_listed(budget: Path, tmp_path: Path) -> None:
    """Every layer, package and total above its maximum is listed with both sizes, largest excess first."""
    folders = [layer(tmp_path, "base", 2_500_000, numpy=5_000_001), layer(tmp_path, "new", 1_500_000, new=9_000_000)]
    with pytest.raises(OverBudget) as caught:
        check_budget(folders, budget)
    lines = [line.strip().partition(":")[0] for line in str(caught.value).splitlines()[1:-1]]
    assert lines == ["new", "all layers", "all layers", "the layer new", "the layer base", "numpy"]
    assert "new: got 9.000 MB unpacked, expected at most 1 MB (+8.000)" in str(caught.value)
    assert "budget.toml" in str(caught.value)


def test_one_package_in_two_layers_counts_once(budget: Path, tmp_path: Path) -> None:
    """The sizes of one package in several layers are added."""
    folders = [layer(tmp_path, "base", 1, numpy=3_000_000), layer(tmp_path, "more", 1, numpy=3_000_000)]
    with pytest.raises(OverBudget, match=r"numpy: got 6\.000 MB unpacked, expected at most 5 MB"):
        check_budget(folders, budget)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[total", "end of"),
        ("[total]\ncompressed = 1\n", r"\[compressed\] is missing.*\[total\] has no unpacked"),
        (CEILINGS + "[sizes]\n", r"\[sizes\] is unknown"),
    ],
)
def test_an_incomplete_budget_is_refused(budget: Path, text: str, message: str) -> None:
    """A missing or misspelled table is an error, not a missing limit."""
    budget.write_text(text)
    with pytest.raises(OverBudget, match=message):
        check_budget([], budget)
