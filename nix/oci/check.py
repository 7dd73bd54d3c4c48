"""What must hold for an image of ours before it gets its name: no path in two layers, and Lambda's rules."""

import json
from collections.abc import Sequence
from pathlib import Path

from oci.exceptions import PathConflict
from oci.lint import lint
from oci.rules import Problem
from oci.scan import Scan, from_document, scan_blob, to_document
from oci.source import layout_image

SCAN = "scan.json"


def write_scan(folder: Path) -> None:
    """Read the blob of the layer in `folder` back from the disk and keep what is in it beside it."""
    with (folder / "blob").open("rb") as blob:
        scan = scan_blob(blob)
    (folder / SCAN).write_text(json.dumps(to_document(scan), separators=(",", ":")))


def read_scan(folder: Path) -> Scan:
    """What is in the layer in `folder`."""
    return from_document(json.loads((folder / SCAN).read_bytes()))


def check_image(layout: Path, folders: Sequence[Path]) -> list[Problem]:
    """Every broken rule of the layout made of the layers in `folders`; PathConflict when two of them overlap."""
    scans = {folder: read_scan(folder) for folder in folders}
    refuse_overlaps(scans)
    known = {scan.digest: scan for scan in scans.values()}
    return lint(layout_image(layout, known.get))


def refuse_overlaps(scans: dict[Path, Scan]) -> None:
    """PathConflict that names all paths (at most ten) which two layers hold, folders excepted."""
    holder: dict[str, Path] = {}
    found: list[str] = []
    for folder, scan in scans.items():
        for item in scan.items:
            if item.kind != "folder" and (first := holder.setdefault(item.path, folder)) != folder:
                found.append(f"/{item.path}: {layer_name(first)} and {layer_name(folder)}")
    if found:
        raise PathConflict(
            "two layers write one path\n  " + "\n  ".join(found[:10]) + "\n"
            "  An image cannot hold both: drop one of the packages from the lock, or exclude the path in nix/oci."
        )


def layer_name(folder: Path) -> str:
    """The name in the layer's record."""
    return str(json.loads((folder / "layer.json").read_bytes())["name"])
