"""A model's files: JSON and plain arrays, which hold numbers and text and can run nothing."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidArtifact

MODEL = "model.json"
FORMAT = 2
READABLE = (1, 2)  # 1 had no negated terms; what it had is read as it was


def write_json(path: Path, value: Any) -> None:
    """One spelling for each value, so that the same model has the same digest."""
    path.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")), encoding="utf-8")


def read_json(path: Path) -> Any:
    """Raises InvalidArtifact when the file is missing or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidArtifact(f"{path.name} of the model cannot be read: {type(error).__name__}") from None


def write_array(path: Path, array: Any) -> None:
    """NumPy's own format without pickled objects."""
    import numpy

    numpy.save(path, numpy.ascontiguousarray(array), allow_pickle=False)


def read_array(path: Path) -> Any:
    """Raises InvalidArtifact for anything but a plain array."""
    import numpy

    try:
        return numpy.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InvalidArtifact(f"{path.name} of the model cannot be read: {type(error).__name__}") from None


def stamp(kind: str, library: str) -> dict[str, Any]:
    """What every model file begins with: its kind, its format, the library that made it."""
    return {"kind": kind, "format": FORMAT, "library": library, "version": metadata.version(library)}


def check(content: Any, kind: str, library: str) -> None:
    """Raises InvalidArtifact when the model is of another kind or format, or was made by a newer library."""
    if not isinstance(content, dict) or content.get("kind") != kind:
        given = content.get("kind") if isinstance(content, dict) else None
        raise InvalidArtifact(f"the artifact holds a model of the kind {given!r}, expected {kind!r}")
    if content.get("format") not in READABLE:
        read = " and ".join(map(str, READABLE))
        raise InvalidArtifact(
            f"the model has the format {content.get('format')}, this engine reads {read}: train it again"
        )
    made, here = str(content.get("version")), metadata.version(library)
    if release(made) > release(here):
        raise InvalidArtifact(f"the model was made by {library} {made}, newer than the {here} here: train it again")


def release(version: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
