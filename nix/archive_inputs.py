#!/usr/bin/env python3
"""Archive every pinned input in a folder, so that the image can be rebuilt after the mirrors have dropped them.

    python3 -m nix.archive_inputs FOLDER

FOLDER is an OCI image layout: one artifact, each input a blob of its own digest. `ARCHIVE=FOLDER make build` reads it.
An existing archive is completed; blobs and manifests of earlier locks stay.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nix import inputs
from nix.cache import input_cache
from nix.cache.folder import in_use
from nix.clients import progress
from nix.command import command
from nix.input_archive import artifact
from nix.oci.digest import encoded, sha256
from nix.oci.manifest import LAYOUT
from nix.oci.media_types import EMPTY_DATA
from nix.pins import Input, InputProblem


def write(folder: Path, wanted: Sequence[Input]) -> int:
    """Make `folder` an archive that holds these cached inputs; returns how many bytes were added.

    Each file appears there whole, the index last: a killed run leaves an archive that the next one completes.
    InputProblem for a folder that is a layout of something else.
    """
    read_index(folder)
    blobs = input_cache.ensure_folder(folder / "blobs" / "sha256")
    new = [input_ for input_ in wanted if not is_archived(blobs / input_.sha256, input_)]
    total, before = sum(input_.size for input_ in new), progress.measure_folder(blobs)
    with progress.show_progress(total, lambda: progress.measure_folder(blobs) - before):
        for input_ in new:
            part = blobs / f"{input_.sha256}.part"
            # Copied, not linked: changes to the cache must not reach the archive.
            shutil.copyfile(input_cache.locate_input(input_), part)
            if wrong := input_cache.find_mismatch(input_, part):
                raise InputProblem(f"the cached {wrong}\nnext: run the same command again, which fetches it anew")
            part.replace(blobs / input_.sha256)
    manifest = artifact.encode_manifest(wanted)
    for data in (EMPTY_DATA, manifest):
        put(blobs / encoded(sha256(data)), data)
    entry = artifact.create_entry(manifest)
    others = [other for other in read_index(folder) if other["digest"] != entry["digest"]]
    put(folder / "oci-layout", LAYOUT)
    put(folder / "index.json", artifact.encode_index([*others, entry]))
    return total


def is_archived(path: Path, wanted: Input) -> bool:
    """Return whether the blob at `path` is this input, whole and unaltered."""
    return path.exists() and input_cache.find_mismatch(wanted, path) is None


def put(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all; a file with the same content is left as it is."""
    if path.exists() and path.read_bytes() == data:
        return
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def read_index(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of an archive's index, [] for a new folder; InputProblem if it is another layout's index.

    The blobs are not looked at: only the index and the type of its entries decide.
    """
    path = folder / "index.json"
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_bytes())["manifests"] if path.exists() else []
        if all(one["digest"] and one["artifactType"] == artifact.ARTIFACT_TYPE for one in entries):
            return entries
    except (ValueError, LookupError, TypeError):
        pass
    raise InputProblem(
        f"{path}: got the index of something else, expected an archive of inputs\n"
        "next: name a new folder, or one that this command wrote"
    )


@command("archive", InputProblem, interrupted="run it again; archived inputs are kept")
def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    options = parser.parse_args(words)
    input_cache.ensure_folder(options.folder)
    with in_use():
        wanted = artifact.list_all_inputs()
        inputs.fetch_these(wanted, [options.folder])
        added = write(options.folder, wanted)
    size = sum(one.size for one in wanted)
    print(f"{options.folder}: {len(wanted)} inputs, {size / 1e6:.1f} MB, {added / 1e6:.1f} MB added")
    print(f"build from it: ARCHIVE={options.folder} make build")
    return 0


if __name__ == "__main__":
    sys.exit(main())
