"""The small image of `drafts` as files on disk, for builders that start from a directory."""

import tarfile
from collections.abc import Sequence
from pathlib import Path

from tests.unit.oci.drafts import Entry


def write_layers(layers: Sequence[Sequence[Entry]], target: Path) -> Path:
    """Write the entries of all layers below `target`."""
    for entry in (entry for layer in layers for entry in layer):
        path = target / entry.path
        if entry.kind == tarfile.DIRTYPE:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(entry.mode)
        elif entry.kind == tarfile.SYMTYPE:
            path.symlink_to(entry.target)
        else:
            path.write_bytes(entry.data)
            path.chmod(entry.mode)
    return target
