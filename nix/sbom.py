#!/usr/bin/env python3
"""Print the bill of materials in the built image.

    python3 -m nix.sbom [--spdx | --table] [LAYOUT]

The output is CycloneDX JSON, the same facts as SPDX JSON, or a table of names, versions and licences.
"""

import argparse
import json
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nix import build
from nix.assembly.differences import ImageLayout
from nix.command import DONE, FAILED, command
from nix.inventory.spdx import convert_bill
from nix.oci.sbom import SBOM


def read(layout: Path) -> dict[str, Any]:
    """Read the SBOM of a layout's image; raises KeyError if it has no SBOM layer."""
    document: dict[str, Any] = json.loads(read_bytes(layout))
    return document


def find(layout: Path) -> bytes | None:
    """Return the SBOM of a layout's image as it is in the image; None if the image has no SBOM layer."""
    return read_bytes(layout) if "sbom" in ImageLayout(layout).layers else None


def read_bytes(layout: Path) -> bytes:
    """Return the SBOM of a layout's image as it is in the image; raises KeyError if it has no SBOM layer."""
    with tarfile.open(ImageLayout(layout).read_blob(ImageLayout(layout).layers["sbom"]), "r:gz") as archive:
        file = archive.extractfile(SBOM)
        assert file is not None, "the SBOM layer has this file"
        return file.read()


def format_licences(component: dict[str, Any]) -> str:
    """Return a component's licences in one line."""
    licences = component.get("licenses", [])
    return (
        " | ".join(one.get("expression") or one["license"]["name"] for one in licences) or "see the text in the image"
    )


def render_components(document: dict[str, Any]) -> str:
    """Render name, version and licence of every component, one per line."""
    rows = [(one["name"], one["version"], format_licences(one)) for one in document["components"]]
    name, version = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{row[0]:{name}}  {row[1]:{version}}  {row[2]}" for row in rows)


@command("sbom")
def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 printed, 1 if there is no image or it has no SBOM, 2 misused."""
    parser = argparse.ArgumentParser(
        prog="score-processor sbom", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("layout", nargs="?", type=Path, default=build.DEFAULT_OUTPUT)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--spdx", action="store_true", help="print SPDX 2.3 JSON")
    form.add_argument("--table", action="store_true", help="print names, versions and licences as a table")
    options = parser.parse_args(words)
    try:
        document = read(options.layout)
    except (OSError, LookupError, TypeError, ValueError, tarfile.TarError):
        print(f"sbom: no image with an SBOM: {options.layout}\nnext: make build", file=sys.stderr)
        return FAILED
    if options.spdx:
        document = convert_bill(document)
    print(render_components(document) if options.table else json.dumps(document, indent=1, sort_keys=True))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
