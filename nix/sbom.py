#!/usr/bin/env python3
"""Print the bill of materials that the built image holds.

    sbom.py [--table] [LAYOUT]

CycloneDX JSON, or a table of names, versions and licences.
"""

import argparse
import json
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import unread
from differences import Layout

import build
from oci.sbom import SBOM


def read(layout: Path) -> dict[str, Any]:
    """The document in a layout's image; KeyError when it has none."""
    with tarfile.open(Layout(layout).blob(Layout(layout).layers["sbom"]), "r:gz") as archive:
        file = archive.extractfile(SBOM)
        assert file is not None, "the layer holds a file of this name"
        found: dict[str, Any] = json.load(file)
    return found


def licence(component: dict[str, Any]) -> str:
    """What a component says of its licence, in one text."""
    told = component.get("licenses", [])
    return " | ".join(one.get("expression") or one["license"]["name"] for one in told) or "see the text in the image"


def table(document: dict[str, Any]) -> str:
    """Name, version and licence of every component, one a line."""
    rows = [(one["name"], one["version"], licence(one)) for one in document["components"]]
    name, version = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{row[0]:{name}}  {row[1]:{version}}  {row[2]}" for row in rows)


def main(words: Sequence[str] | None = None) -> int:
    """Command line: 0 printed, 1 there is no image or it holds no bill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layout", nargs="?", type=Path, default=build.DEFAULT_OUTPUT)
    parser.add_argument("--table", action="store_true", help="names, versions and licences for people")
    options = parser.parse_args(words)
    try:
        document = read(options.layout)
    except (OSError, LookupError, TypeError, ValueError, tarfile.TarError):
        print(f"sbom: {options.layout} is no image of this project's; build it: make build", file=sys.stderr)
        return 1
    print(table(document) if options.table else json.dumps(document, indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    unread.allow()
    sys.exit(main())
