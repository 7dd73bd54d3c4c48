#!/usr/bin/env python3
"""Write the tar file of all pinned inputs that a release publishes.

    python3 -m nix.publish_inputs FOLDER    write FOLDER/NAME.tar, and print its path
    python3 -m nix.publish_inputs --name    print NAME, which is also the release's tag

The tar file is an OCI image layout. The same inputs give the same bytes, and NAME follows from them.
"""

import argparse
import io
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from nix import inputs
from nix.cache import input_cache
from nix.cache.folder import in_use
from nix.command import DONE, command
from nix.input_archive import artifact, release
from nix.oci.digest import encoded, sha256
from nix.oci.manifest import LAYOUT
from nix.oci.media_types import EMPTY_DATA
from nix.pins import InputProblem


def write(target: Path) -> Path:
    """Write the tar file of all inputs, which are cached, into the folder `target`, and return its path.

    The same inputs give the same bytes: members have no times and no owners. A file of that name is replaced in one
    step.
    """
    wanted = artifact.list_all_inputs()
    manifest = artifact.encode_manifest(wanted)
    small = {
        "oci-layout": LAYOUT,
        "index.json": artifact.encode_index([artifact.create_entry(manifest)]),
        **{f"blobs/sha256/{encoded(sha256(data))}": data for data in (EMPTY_DATA, manifest)},
    }
    path = input_cache.ensure_folder(target) / f"{release.name()}.tar"
    part = path.with_name(f"{path.name}.part")
    with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as archive:
        for member, data in small.items():
            add(archive, member, io.BytesIO(data), len(data))
        for input_ in wanted:
            with input_cache.locate_input(input_).open("rb") as file:
                add(archive, f"blobs/sha256/{input_.sha256}", file, input_.size)
    part.replace(path)
    return path


def add(archive: tarfile.TarFile, member: str, content: BinaryIO, size: int) -> None:
    """Append a file without time and owner."""
    entry = tarfile.TarInfo(member)
    entry.size = size
    archive.addfile(entry, content)


@command("publish", InputProblem, interrupted="run the same command again")
def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("folder", type=Path, nargs="?", metavar="FOLDER")
    which.add_argument("--name", action="store_true", help="print the release's name, write nothing")
    options = parser.parse_args(words)
    if options.name:
        print(release.name())
        return DONE
    with in_use():
        inputs.fetch_these(artifact.list_all_inputs())
        print(write(options.folder))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
