"""Lint before a push: Lambda would tell one fault, and only after the upload."""

from __future__ import annotations

import json
from pathlib import Path

from . import _nix
from ._errors import Refused

assert _nix  # makes `oci` importable
TOLD = 10


def require_sound(layout: Path) -> None:
    """Refused, with the broken rules, unless Lambda takes the image in a layout folder.

    What a build here found sound just so, with the same rules, is not looked at again. A layer that a build here wrote
    is not read again either: its scan lies beside it in the cache, and a blob that was altered since then is refused by
    the registry. Layers of other builders are read to their end.
    """
    if found_sound(layout):
        return
    from oci.lint import lint
    from oci.scan_file import read_scan
    from oci.source import layout_image

    made = known_layers()
    problems = lint(layout_image(layout, lambda digest: read_scan(made[digest]) if digest in made else None))
    if not problems:
        return
    more = f"\n  and {len(problems) - TOLD} more" if len(problems) > TOLD else ""
    told = "\n".join(str(problem) for problem in problems[:TOLD])
    raise Refused(f"the image breaks {len(problems)} of Lambda's rules:\n{told}{more}", "make lint-image shows all")


def found_sound(layout: Path) -> bool:
    """Whether the build that wrote the layout says of this very image that these rules hold."""
    from assembler import sources_digest

    try:
        said = json.loads(layout.with_name(f"{layout.name}.json").read_bytes())
        index = json.loads((layout / "index.json").read_bytes())
    except (OSError, ValueError):
        return False
    digests = [one.get("digest") for one in index.get("manifests", ())]
    return digests == [said.get("digest")] and said.get("linted_by") == sources_digest()


def known_layers() -> dict[str, Path]:
    """The layers that a build here would take from the cache now, by digest."""
    from cache import cache_dir
    from needs import image_layers

    from oci.scan_file import SCAN

    folders = (cache_dir() / "layers" / key for key in image_layers()[0])
    return {
        json.loads((folder / "layer.json").read_bytes())["digest"]: folder
        for folder in folders
        if (folder / SCAN).is_file() and (folder / "layer.json").is_file()
    }
