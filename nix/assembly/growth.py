"""How sizes changed since the previously built commit, whose sizes are kept in the record beside the layout."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nix.oci.source_archive import is_commit

MOST_CHANGES = 5
MEGABYTE = 1_000_000
Sizes = dict[str, Any]
"""`revision` and `size` of an image, `layers`: bytes of blobs, `packages`: bytes of files."""


def read_sizes(record: Mapping[str, Any]) -> Sizes:
    """Extract the sizes from the record of a build.

    Bytes. A package's files may be in several layers, and are added up; `size` is the compressed image.
    """
    packages: dict[str, int] = {}
    for layer in record["layers"]:
        for name, share in layer["packages"].items():
            packages[name] = packages.get(name, 0) + share["size"]
    return {
        **{name: record[name] for name in ("revision", "size")},
        "layers": {layer["name"]: layer["size"] for layer in record["layers"]},
        "packages": packages,
    }


def find_earlier_sizes(record: Path, revision: str) -> Sizes | None:
    """Return the sizes of the last commit that was built here, other than `revision`; None if there is none.

    `record` is the last build's record file. Builds of no commit do not count.
    """
    try:
        last = json.loads(record.read_bytes())
        usable = last["revision"] != revision and is_commit(last["revision"])
        return read_sizes(last) if usable else last.get("before")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # a build works without the previous record


def describe_growth(before: Sizes | None, now: Sizes) -> str:
    """Describe in one line by how much the image grew or shrank, with the largest changes.

    At most MOST_CHANGES changes are named; the number of the others follows.
    """
    if before is None:
        return "unknown (no earlier build to compare)"
    since = f"since {before['revision'][:12]}, the last other commit built here"
    if all(before[kind] == now[kind] for kind in ("size", "layers", "packages")):
        return f"none {since}"
    files = (sum(sizes["packages"].values()) for sizes in (before, now))
    whole = f"{change(before['size'], now['size'])} compressed, {change(*files)}"
    parts = [f"{name} {change(0, by)} {kind}" for by, kind, name in list_changes(before, now)]
    more = f" and {len(parts) - MOST_CHANGES} more" if len(parts) > MOST_CHANGES else ""
    return f"{whole} unpacked {since}: {', '.join(parts[:MOST_CHANGES])}{more}"


def list_changes(before: Sizes, now: Sizes) -> Iterator[tuple[int, str, str]]:
    """Yield (change in bytes, kind of size, name) of each layer's blob and each package's files, largest first."""
    rows = [
        (by, kind, name)
        for table, kind in (("layers", "compressed"), ("packages", "unpacked"))
        for name in sorted({*before[table], *now[table]})
        if (by := now[table].get(name, 0) - before[table].get(name, 0))
    ]
    return iter(sorted(rows, key=lambda one: (-abs(one[0]), one[1:])))


def change(before: int, now: int) -> str:
    """Format the difference of two sizes in bytes, with its sign, in B, kB or MB."""
    by = now - before
    if abs(by) < 100:
        return f"{by:+} B"
    return f"{by / MEGABYTE:+.2f} MB" if abs(by) >= MEGABYTE / 10 else f"{by / 1000:+.1f} kB"
