"""What a deploy reports about its image before it changes anything: its source, and whether it was rolled back from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nix.assembly.output import hash_source, read_record
from nix.build import NOT_VERIFIABLE, READ
from nix.revision import SourceProblem, read_checkout

from ..aws.ledger import Entry
from ..checkout import ROOT, git
from ..checkout.layout import LAYOUT, LocalImage
from ..console.text import shorten_digest


def list_remarks(known: Iterable[Entry], digest: str, commit: str, built: LocalImage | None) -> Iterator[str]:
    """Yield what the user should know of the image `digest`, of that commit, before it is deployed.

    `known` has the changes of the alias, newest first; `built` is the last build's image if that is to be deployed.
    """
    if built is not None and (remark := compare_with_tree(built, read_record(LAYOUT))):
        yield remark
    if git.is_uncommitted(commit):
        yield NOT_VERIFIABLE
    if remark := find_return(known, digest):
        yield remark


def compare_with_tree(built: LocalImage, record: dict[str, Any], folder: Path = ROOT) -> str:
    """Return a warning if the image was not built from the files that the work tree has now; else an empty text.

    Compares the digest of the files' contents, uncommitted edits included, with the one in the build's `record`.
    """
    try:
        now = hash_source(read_checkout(READ, folder))
    except SourceProblem:
        return ""  # without git the tree is unknown
    if record.get("digest") == built.digest and record.get("source") == now:
        return ""
    what = f"image {shorten_digest(built.digest)}, commit {git.shorten_revision(built.revision)}"
    return (
        f"warning: build/image ({what}) was not built from the files in this work tree\n  next: make build push deploy"
    )


def find_return(known: Iterable[Entry], digest: str) -> str:
    """Return a warning if the last change with this image led away from it; `known` has the changes, newest first.

    Only the newest change that concerns this image counts: an image that was deployed again after its rollback has no
    warning.
    """
    for entry in known:
        when = entry.at[:19].replace("T", " ")
        if entry.digest == digest and entry.action == "canary-back":
            return (
                f"warning: image {shorten_digest(digest)} failed its canary at {when} UTC, as version {entry.version}"
            )
        if entry.digest == digest:
            return ""
        if entry.previous_digest == digest and entry.action == "rollback":
            back = f"version {entry.previous_version} → {entry.version}"
            return f"warning: image {shorten_digest(digest)} was rolled back from at {when} UTC ({back})"
    return ""
