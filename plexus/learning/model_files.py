"""A model's files: JSON and plain arrays, which cannot run code when they are loaded."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidArtifact
from plexus.text import encode_canonical

MODEL = "model.json"
FORMAT = 2
SIGNIFICANT_BITS = 20  # 6 decimal digits; a float32 has 24
READABLE = (1, 2)  # format 1 has no negated terms


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value in its canonical spelling, so that equal models have equal digests."""
    path.write_bytes(encode_canonical(value))


def read_json(path: Path) -> Any:
    """Read JSON. Raises InvalidArtifact if the file is missing or malformed."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidArtifact(f"{path.name} of the model cannot be read: {type(error).__name__}") from None


def round_bits(array: Any, bits: int = SIGNIFICANT_BITS) -> Any:
    """Round to significant binary digits, by exact arithmetic; shape and dtype float64 are kept.

    Two trainings whose numbers differ by rounding errors, about 1e-16, give equal files, unless a number lies that
    close to the middle between two neighbours.
    """
    import numpy

    fractions, exponents = numpy.frexp(array)
    return numpy.ldexp(numpy.rint(fractions * 2.0**bits), exponents - bits)


def write_array(path: Path, array: Any) -> None:
    """Write NumPy's format, without pickled objects."""
    import numpy

    numpy.save(path, numpy.ascontiguousarray(array), allow_pickle=False)


def read_array(path: Path) -> Any:
    """Read a plain array. Raises InvalidArtifact for anything else."""
    import numpy

    try:
        return numpy.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InvalidArtifact(f"{path.name} of the model cannot be read: {type(error).__name__}") from None


def stamp(kind: str, library: str) -> dict[str, Any]:
    """Return the fields that every model file has: kind, format, and the library that trained it with its version."""
    return {"kind": kind, "format": FORMAT, "library": library, "version": metadata.version(library)}


def check(content: Any, kind: str, library: str) -> None:
    """Raise InvalidArtifact if the model has another kind or format, or was trained by a newer library."""
    if not isinstance(content, dict) or content.get("kind") != kind:
        actual = content.get("kind") if isinstance(content, dict) else None
        raise InvalidArtifact(f"model kind: got {actual!r}, expected {kind!r}")
    if content.get("format") not in READABLE:
        read = " and ".join(map(str, READABLE))
        raise InvalidArtifact(f"model format: got {content.get('format')}, expected {read}. next: train it again")
    trained_by, installed = str(content.get("version")), metadata.version(library)
    if release(trained_by) > release(installed):
        raise InvalidArtifact(
            f"model trained by {library} {trained_by}, newer than the installed {installed}. next: train it again"
        )


def release(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
