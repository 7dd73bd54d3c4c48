"""What a build says about growth."""

import json
from pathlib import Path
from typing import Any

import pytest
from growth import growth, sizes, sizes_before

OLD, NEW = "a" * 40, "b" * 40


def record(revision: str, size: int, **packages: int) -> dict[str, Any]:
    """The record of an image with one layer."""
    shares = {name: {"files": 1, "size": count, "bytecode": 0} for name, count in packages.items()}
    layers = [{"name": "base", "size": size, "packages": shares}]
    return {"revision": revision, "size": size, "unpacked_size": sum(packages.values()), "layers": layers}


def test_what_grew_most_is_said_first() -> None:
    """The line names the commit, both sums, and each layer and package that changed, in the order of the change."""
    before, now = record(OLD, 1_000, x=2_000, gone=500), record(NEW, 1_300_000, x=2_100, new=900_000)
    assert growth(sizes(before), sizes(now)) == (
        "since aaaaaaaaaaaa +1.30 MB compressed, +0.90 MB unpacked: "
        "base +1.30 MB compressed, new +0.90 MB unpacked, gone -0.5 kB unpacked, x +0.1 kB unpacked"
    )


def test_a_few_bytes_are_told_as_bytes() -> None:
    """A changed word is no -0.0 kB."""
    told = growth(sizes(record(OLD, 1_005, x=2_000)), sizes(record(NEW, 998, x=2_000)))
    assert told == "since aaaaaaaaaaaa -7 B compressed, +0 B unpacked: base -7 B compressed"


def test_the_same_sizes_are_nothing() -> None:
    """Where nothing changed, the line says so."""
    assert growth(sizes(record(OLD, 5, x=1)), sizes(record(NEW, 5, x=1))) == "nothing since aaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (record(OLD, 5, x=1), OLD),
        ({**record(NEW, 5), "before": sizes(record(OLD, 5))}, OLD),
        ({**record(NEW + "-dirty", 5), "before": sizes(record(OLD, 5))}, OLD),
        (record("unknown", 5), None),
        ({"revision": 1}, None),
    ],
    ids=["another commit", "the same commit", "no commit", "no git", "no record"],
)
def test_sizes_are_those_of_the_last_other_commit(tmp_path: Path, last: dict[str, Any], expected: str | None) -> None:
    """Builds of files that no commit holds, and builds of the same commit again, keep what was before them."""
    path = tmp_path / "image.json"
    path.write_text(json.dumps(last))
    found = sizes_before(path, NEW)
    assert (found["revision"] if found else None) == expected


def test_without_a_record_nothing_is_known(tmp_path: Path) -> None:
    """The first build has nothing to compare with."""
    assert growth(sizes_before(tmp_path / "image.json", NEW), sizes(record(NEW, 1))).startswith("not known")
