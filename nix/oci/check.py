"""Checks before a build publishes its image: no path in two layers, and every rule of the linter."""

from collections.abc import Sequence
from pathlib import Path

from .exceptions import PathConflict
from .layer import read_layer
from .lint import Problem, lint, read_layout
from .lint.scan import Scan
from .lint.scan_file import read_scan


def check_image(layout: Path, folders: Sequence[Path]) -> list[Problem]:
    """Return every rule that the layout made of the layers in `folders` breaks; uses the layers' stored scans.

    `folders` are in any order; each has the scan that was written with its layer. Raises PathConflict if two layers
    contain the same path: which of them wins would depend on the layers' order.
    """
    scans = {folder: read_scan(folder) for folder in folders}
    refuse_overlaps(scans)
    known = {scan.digest: scan for scan in scans.values()}
    return lint(read_layout(layout, known.get))


def refuse_overlaps(scans: dict[Path, Scan]) -> None:
    """Raise PathConflict with the paths (at most ten), directories excepted, that two layers contain."""
    holder: dict[str, Path] = {}
    conflicts: list[str] = []
    for folder, scan in scans.items():
        for entry in scan.entries:
            if entry.kind != "folder" and (first := holder.setdefault(entry.path, folder)) != folder:
                conflicts.append(f"/{entry.path}: {read_layer(first).name} and {read_layer(folder).name}")
    if conflicts:
        raise PathConflict(
            "two layers contain the same path:\n  " + "\n  ".join(conflicts[:10]) + "\n"
            "  next: remove one of the packages from the lock, or exclude the path in nix/oci"
        )
