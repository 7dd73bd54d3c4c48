"""What a scorecard names outside of itself: labelled texts, cassettes and models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

from plexus.artifacts import FolderArtifacts
from plexus.artifacts.manifest import is_digest
from plexus.problems import Finding, Path


def check(models: dict[int, Any], folder: File, store: File | None) -> list[Finding]:
    """Findings about files in `folder`, where the scorecard lies, and about artifacts in `store` unless it is None."""
    found: list[Finding] = []
    for index, model in models.items():
        found += _of(model, ("scores", index), folder, store)
    return found


def _of(model: Any, path: Path, folder: File, store: File | None) -> Iterator[Finding]:
    if model.data is not None and model.data.file is not None and not (folder / model.data.file).is_file():
        message = f"there is no file {model.data.file!r} beside the scorecard"
        yield Finding((*path, "data", "file"), message, rule="missing-file")
    cassette = getattr(model, "cassette", None)
    if cassette is not None and not _digest(cassette) and not (folder / cassette).is_file():
        message = f"there is no cassette {cassette!r} beside the scorecard; record one: plexus run --record {cassette}"
        yield Finding((*path, "cassette"), message, rule="missing-file")
    for key in ("artifact", "cassette"):
        digest = getattr(model, key, None)
        if digest is None or not _digest(digest):
            continue
        if not is_digest(digest):
            yield Finding((*path, key), f"{digest!r} is no digest: expected sha256: and 64 hex digits")
        elif store is not None and digest not in FolderArtifacts(store):
            message = f"the store {store} holds no artifact {digest[:19]}…; make it: plexus train --store {store}"
            yield Finding((*path, key), message, rule="missing-artifact")
    if getattr(model, "artifact", "") is None and (model.data is None or model.data.file is None):
        message = "the score has no model and says no labelled texts: name them in `data`, or train with --data"
        yield Finding((*path, "class"), message, "warning", "untrained")


def _digest(text: str) -> bool:
    return text.startswith("sha256:")
