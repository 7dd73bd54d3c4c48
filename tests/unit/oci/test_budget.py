"""The budget: ceilings for the whole, for layers and for packages."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from oci.budget import OverBudget, check_budget
from oci.layer import LayerRecord, Share

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
    """The folder of a layer with a blob of `size` bytes and packages with as many bytes of files."""
    folder = folder / name
    folder.mkdir()
    shares = {package: Share(1, count) for package, count in packages.items()}
    record = LayerRecord(name, "sha256:0", "sha256:0", size, sum(packages.values()), shares)
    (folder / "layer.json").write_text(json.dumps(asdict(record)))
    return folder


@pytest.fixture
def budget(tmp_path: Path) -> Path:
    """The file of ceilings."""
    path = tmp_path / "budget.toml"
    path.write_text(CEILINGS)
    return path


def test_what_is_at_its_ceiling_passes(budget: Path, tmp_path: Path) -> None:
    """A ceiling is the biggest size that is allowed."""
    check_budget([layer(tmp_path, "base", 2_000_000, numpy=5_000_000), layer(tmp_path, "x", 1_000_000)], budget)


def test_all_that_is_above_is_named(budget: Path, tmp_path: Path) -> None:
    """Every layer, package and sum above its ceiling is named with both sides, the worst first."""
    folders = [layer(tmp_path, "base", 2_500_000, numpy=5_000_001), layer(tmp_path, "new", 1_500_000, new=9_000_000)]
    with pytest.raises(OverBudget) as caught:
        check_budget(folders, budget)
    lines = [line.strip().partition(":")[0] for line in str(caught.value).splitlines()[1:-1]]
    assert lines == ["new", "all layers", "all layers", "the layer new", "the layer base", "numpy"]
    assert "new: 9.000 MB unpacked, at most 1 MB (8.000 more)" in str(caught.value)
    assert "budget.toml" in str(caught.value)


def test_one_package_in_two_layers_counts_once(budget: Path, tmp_path: Path) -> None:
    """What a package has in several layers is added up."""
    folders = [layer(tmp_path, "base", 1, numpy=3_000_000), layer(tmp_path, "more", 1, numpy=3_000_000)]
    with pytest.raises(OverBudget, match=r"numpy: 6\.000 MB unpacked, at most 5 MB"):
        check_budget(folders, budget)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[total", "end of"),
        ("[total]\ncompressed = 1\n", r"\[compressed\] is not there.*\[total\] names no unpacked"),
        (CEILINGS + "[sizes]\n", r"\[sizes\] is not known"),
    ],
)
def test_a_file_that_says_nothing_is_refused(budget: Path, text: str, said: str) -> None:
    """A budget with a missing or misspelled table is an error, not a budget without ceilings."""
    budget.write_text(text)
    with pytest.raises(OverBudget, match=said):
        check_budget([], budget)
