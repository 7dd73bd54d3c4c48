"""What must hold for an image of ours before it gets its name: no path in two layers, and Lambda's rules."""

import json
from collections.abc import Sequence
from pathlib import Path

from oci.exceptions import PathConflict
from oci.lint import lint
from oci.rules import Problem
from oci.scan import Scan
from oci.scan_file import read_scan
from oci.source import layout_image


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
