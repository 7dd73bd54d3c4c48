"""Lint the local image before a push: Lambda reports one fault at a time, and only after the upload."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..console.errors import Refused

if TYPE_CHECKING:
    from nix.oci.lint.scan import Scan

MOST_PROBLEMS = 10


def require_lint_passed(layout: Path) -> None:
    """Raise Refused, with the first broken rules, unless the image in a layout directory passes the linter.

    Nothing is read twice: an image that its build linted with the same rules is accepted, and layers that a build here
    made use the scans beside them in the cache. A blob altered since then is rejected by the registry. Layers of other
    builders are read to the end.
    """
    if has_passed_at_build(layout):
        return
    from nix.oci.lint import lint, read_layout

    problems = lint(read_layout(layout, read_cached_scans().get))
    if not problems:
        return
    more = f"\n  and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
    listed = "\n".join(str(problem) for problem in problems[:MOST_PROBLEMS])
    raise Refused(f"the image breaks {len(problems)} of Lambda's rules:\n{listed}{more}", "make lint-image lists all")


def has_passed_at_build(layout: Path) -> bool:
    """Return whether the record beside the layout says that its build linted this very image with the current rules.

    Reads two small files, and no blob. False if the linter's sources have changed since the build.
    """
    from nix.assembly.assembler import hash_sources

    try:
        record = json.loads(layout.with_name(f"{layout.name}.json").read_bytes())
        index = json.loads((layout / "index.json").read_bytes())
    except (OSError, ValueError):
        return False
    digests = [manifest.get("digest") for manifest in index.get("manifests", ())]
    return digests == [record.get("digest")] and record.get("linted_by") == hash_sources()


def read_cached_scans() -> dict[str, Scan]:
    """Return the verified scans of the cached layers that a build would use now, by the digest of their blob.

    A layer that is not cached, or whose cached files were altered, is left out; the caller scans its blob.
    """
    from nix.assembly.layers import read_documents
    from nix.cache_roots import plan_image_layers
    from nix.oci.lint.scan_file import from_document

    cached = (read_documents(plan, plan.folder) for plan in plan_image_layers()[0])
    scans = [from_document(json.loads(layer[1])) for layer in cached if layer is not None]
    return {scan.digest: scan for scan in scans}
