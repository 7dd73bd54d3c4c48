"""What grew since the commit that was built before: the sizes are kept in the record beside the layout."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from revision import DIRTY, UNKNOWN

SHOWN = 5
MEGABYTE = 1_000_000
Sizes = dict[str, Any]
"""`revision`, `size` and `unpacked_size` of an image, `layers`: bytes of blobs, `packages`: bytes of files."""


def sizes(record: Mapping[str, Any]) -> Sizes:
    """The sizes in the record of a build."""
    packages: dict[str, int] = {}
    for layer in record["layers"]:
        for name, share in layer["packages"].items():
            packages[name] = packages.get(name, 0) + share["size"]
    return {
        **{name: record[name] for name in ("revision", "size", "unpacked_size")},
        "layers": {layer["name"]: layer["size"] for layer in record["layers"]},
        "packages": packages,
    }


def sizes_before(record: Path, revision: str) -> Sizes | None:
    """The sizes of the last commit that was built here, other than `revision`; None when nobody knows them.

    `record` is what the last build wrote; what it built from files that no commit holds does not count.
    """
    try:
        last = json.loads(record.read_bytes())
        usable = last["revision"] not in (revision, UNKNOWN) and not last["revision"].endswith(DIRTY)
        return sizes(last) if usable else last.get("before")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # a record is only ever a comfort: the build does not need it


def growth(before: Sizes | None, now: Sizes) -> str:
    """One line: by how much the image grew or shrank, and what did so most."""
    if before is None:
        return "not known: no other commit was built here before"
    since = f"since {before['revision'][:12]}"
    if all(before[kind] == now[kind] for kind in ("size", "layers", "packages")):
        return f"nothing {since}"
    whole = f"{change(before['size'], now['size'])} compressed, {change(before['unpacked_size'], now['unpacked_size'])}"
    parts = [f"{name} {change(0, by)} {kind}" for by, kind, name in changes(before, now)]
    more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return f"{since} {whole} unpacked: {', '.join(parts[:SHOWN])}{more}"


def changes(before: Sizes, now: Sizes) -> Iterator[tuple[int, str, str]]:
    """(bytes more or fewer, kind of size, name) of each layer's blob and each package's files, the most first."""
    found = [
        (by, kind, name)
        for table, kind in (("layers", "compressed"), ("packages", "unpacked"))
        for name in sorted({*before[table], *now[table]})
        if (by := now[table].get(name, 0) - before[table].get(name, 0))
    ]
    return iter(sorted(found, key=lambda one: (-abs(one[0]), one[1:])))


def change(before: int, now: int) -> str:
    """The difference of two sizes in bytes, with its sign, in a unit that shows it."""
    by = now - before
    if abs(by) < 100:
        return f"{by:+} B"
    return f"{by / MEGABYTE:+.2f} MB" if abs(by) >= MEGABYTE / 10 else f"{by / 1000:+.1f} kB"
