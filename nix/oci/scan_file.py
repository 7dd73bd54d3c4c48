"""What was found in a layer, kept beside its blob, so that a build need not read all layers again to check an image."""

import json
from pathlib import Path
from typing import Any

from oci.elf import Elf
from oci.scan import Item, Scan, scan_blob

SCAN = "scan.json"
ELF_COLUMN = Item._fields.index("elf")


def write_scan(folder: Path) -> None:
    """Read the blob of the layer in `folder` back from the disk and keep what is in it beside it."""
    with (folder / "blob").open("rb") as blob:
        scan = scan_blob(blob)
    (folder / SCAN).write_text(json.dumps(to_document(scan), separators=(",", ":")))


def read_scan(folder: Path) -> Scan:
    """What is in the layer in `folder`."""
    return from_document(json.loads((folder / SCAN).read_bytes()))


def to_document(scan: Scan) -> dict[str, Any]:
    """A scan as plain JSON values, small: fields with their default are left out at the end."""
    rows = [[*_trimmed(item)] for item in scan.items]
    return {
        "digest": scan.digest,
        "size": scan.size,
        "diff_id": scan.diff_id,
        "unpacked_size": scan.unpacked_size,
        "fault": scan.fault,
        "closed": scan.closed,
        "items": rows,
    }


def _trimmed(item: Item) -> list[Any]:
    elf = None if item.elf is None else list(vars(item.elf).values())
    row = [item.path, item.kind, item.mode, item.size, item.target, item.script, elf, item.names, item.imports]
    while row and row[-1] in (None, False, "", 0, ()):
        row.pop()
    return row


def from_document(value: dict[str, Any]) -> Scan:
    """The scan that to_document() wrote."""
    fault = value["fault"]
    # Nearly all are plain files, and an image has 20,000.
    items = tuple(Item(*row) if len(row) <= ELF_COLUMN else _item(row) for row in value["items"])
    sizes = value["digest"], value["size"], value["diff_id"], value["unpacked_size"]
    return Scan(*sizes, items, tuple(fault) if fault else None, value["closed"])


def _item(row: list[Any]) -> Item:
    if row[ELF_COLUMN] is not None:
        machine, interpreter, soname, *lists, broken = row[ELF_COLUMN]
        needed, rpath, runpath, requires, provides = (tuple(values) for values in lists)
        pairs = tuple((library, version) for library, version in requires)
        row[ELF_COLUMN] = Elf(machine, interpreter, soname, needed, rpath, runpath, pairs, provides, broken)
    row[ELF_COLUMN + 1 :] = [None if names is None else tuple(names) for names in row[ELF_COLUMN + 1 :]]
    return Item(*row)
