"""The size change that a build reports."""

import json
from pathlib import Path
from typing import Any

import pytest

from nix.assembly.growth import describe_growth, find_earlier_sizes, read_sizes

OLD, NEW = "a" * 40, "b" * 40


def record(revision: str, size: int, **packages: int) -> dict[str, Any]:
    """Return the record of an image with one layer."""
    shares = {name: {"files": 1, "size": count, "bytecode": 0} for name, count in packages.items()}
    layers = [{"name": "base", "size": size, "packages": shares}]
    return {"revision": revision, "size": size, "layers": layers}


def test_the_largest_changes_come_first() -> None:
    """The line has both totals, the commit, and each layer and package that changed, by the size of the change."""
    before, now = record(OLD, 1_000, x=2_000, gone=500), record(NEW, 1_300_000, x=2_100, new=900_000)
    assert describe_growth(read_sizes(before), read_sizes(now)) == (
        "+1.30 MB compressed, +0.90 MB unpacked since aaaaaaaaaaaa, the last other commit built here: "
        "base +1.30 MB compressed, new +0.90 MB unpacked, gone -0.5 kB unpacked, x +0.1 kB unpacked"
    )


def test_a_small_change_is_in_bytes() -> None:
    """A change of seven bytes is not rounded to -0.0 kB."""
    line = describe_growth(read_sizes(record(OLD, 1_005, x=2_000)), read_sizes(record(NEW, 998, x=2_000)))
    assert (
        line
        == "-7 B compressed, +0 B unpacked since aaaaaaaaaaaa, the last other commit built here: base -7 B compressed"
    )


def test_the_whole_is_the_sum_of_its_parts() -> None:
    """Both totals count what the parts count: a file that grew within its last block of the tar has grown."""
    line = describe_growth(read_sizes(record(OLD, 5, x=100, y=7)), read_sizes(record(NEW, 5, x=159, y=6)))
    assert line.startswith("+0 B compressed, +58 B unpacked ")
    assert line.endswith(": x +59 B unpacked, y -1 B unpacked")


def test_equal_sizes_are_no_change() -> None:
    """If no size changed, the line says so."""
    assert (
        describe_growth(read_sizes(record(OLD, 5, x=1)), read_sizes(record(NEW, 5, x=1)))
        == "none since aaaaaaaaaaaa, the last other commit built here"
    )


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (record(OLD, 5, x=1), OLD),
        ({**record(NEW, 5), "before": read_sizes(record(OLD, 5))}, OLD),
        ({**record(NEW + "-dirty", 5), "before": read_sizes(record(OLD, 5))}, OLD),
        (record("unknown", 5), None),
        ({"revision": 1}, None),
    ],
    ids=["another commit", "the same commit", "no commit", "no git", "no record"],
)
def test_sizes_are_those_of_the_last_other_commit(tmp_path: Path, last: dict[str, Any], expected: str | None) -> None:
    """Builds of a dirty work tree, and of the same commit again, are not compared with."""
    path = tmp_path / "image.json"
    path.write_text(json.dumps(last))
    result = find_earlier_sizes(path, NEW)
    assert (result["revision"] if result else None) == expected


def test_a_first_build_has_no_comparison(tmp_path: Path) -> None:
    """Without an earlier record the change is unknown."""
    assert (
        describe_growth(find_earlier_sizes(tmp_path / "image.json", NEW), read_sizes(record(NEW, 1)))
        == "unknown (no earlier build to compare)"
    )
