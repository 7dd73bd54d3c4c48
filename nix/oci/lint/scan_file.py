"""A layer's scan as JSON beside its blob, so that a build checks an image without reading every layer again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .elf import Elf
from .module import ModuleNames
from .scan import LayerEntry, Scan, scan_blob

SCAN = "scan.json"
ELF_COLUMN = LayerEntry._fields.index("elf")


def write_scan(folder: Path) -> None:
    """Scan the blob of the layer in `folder`, as it is on disk, and write the scan beside it."""
    with (folder / "blob").open("rb") as blob:
        scan = scan_blob(blob)
    (folder / SCAN).write_text(json.dumps(to_document(scan), separators=(",", ":")))


def read_scan(folder: Path) -> Scan:
    """Read the scan that write_scan() left in `folder`."""
    return from_document(json.loads((folder / SCAN).read_bytes()))


def to_document(scan: Scan) -> dict[str, Any]:
    """Convert a scan to JSON values. Trailing default values of an entry are omitted: most are plain files."""
    return {
        "digest": scan.digest,
        "size": scan.size,
        "diff_id": scan.diff_id,
        "unpacked_size": scan.unpacked_size,
        "fault": scan.fault,
        "closed": scan.closed,
        "entries": [_row(entry) for entry in scan.entries],
    }


def _row(entry: LayerEntry) -> list[Any]:
    row: list[Any] = [*entry]
    row[ELF_COLUMN] = None if entry.elf is None else list(vars(entry.elf).values())
    while row and row[-1] in (None, False, "", 0, ()):
        row.pop()
    return row


def from_document(value: dict[str, Any]) -> Scan:
    """Convert the JSON values that to_document() returned back to the scan."""
    fault = value["fault"]
    # The short path first: nearly all of an image's 20,000 entries are plain files.
    entries = tuple(LayerEntry(*row) if len(row) <= ELF_COLUMN else _entry(row) for row in value["entries"])
    sizes = value["digest"], value["size"], value["diff_id"], value["unpacked_size"]
    return Scan(*sizes, entries, tuple(fault) if fault else None, value["closed"])


def _entry(row: list[Any]) -> LayerEntry:
    if row[ELF_COLUMN] is not None:
        machine, interpreter, soname, *lists, broken = row[ELF_COLUMN]
        needed, rpath, runpath, requires, provides, modules = (tuple(values) for values in lists)
        pairs = tuple((library, version) for library, version in requires)
        row[ELF_COLUMN] = Elf(machine, interpreter, soname, needed, rpath, runpath, pairs, provides, modules, broken)
    if len(row) > ELF_COLUMN + 1:
        values: Iterator[Any] = (tuple(value) if isinstance(value, list) else value for value in row[ELF_COLUMN + 1])
        row[ELF_COLUMN + 1] = ModuleNames(*values)
    return LayerEntry(*row)
