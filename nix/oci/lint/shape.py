"""Parse untrusted JSON documents, and reduce them to the shape that the linter relies on."""

import json
from collections.abc import Callable, Sequence
from typing import Any

Shape = Any
"""A type; a list with the shape of its elements; or a dict of optional keys with the shapes of their values."""

DESCRIPTOR: Shape = {"mediaType": str, "digest": str, "size": int, "annotations": {}, "platform": {}}
INDEX: Shape = {"manifests": [DESCRIPTOR]}
MANIFEST: Shape = {"mediaType": str, "config": DESCRIPTOR, "layers": [DESCRIPTOR]}
CONFIG: Shape = {
    "os": str,
    "architecture": str,
    "config": {"Entrypoint": [str], "Cmd": [str], "Env": [str], "WorkingDir": str, "Labels": {}},
    "rootfs": {"diff_ids": [str]},
    "history": [{}],
}


def parse_json(data: bytes) -> Any:
    """Parse a JSON document.

    Raises ValueError for invalid JSON, for nesting beyond the interpreter's limit, and for repeated keys: readers
    disagree on which value counts, so that one tool could check another image than the next one runs.
    """
    try:
        return json.loads(data, object_pairs_hook=_unique_keys)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the key {repeated[:40]!r} twice")
    return values


def keep_shape(value: Any, shape: Shape, where: str, report: Callable[[str], object]) -> Any:
    """Return `value` with every part that does not match `shape` replaced by an empty one.

    Calls `report` with a sentence for each mismatch. Keys that `shape` does not name stay; null counts as absent.
    """
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            report(f"{where} is not an object")
            return {}
        return {
            key: keep_shape(inner, shape[key], f"{where}.{key}", report) if key in shape else inner
            for key, inner in value.items()
            if inner is not None
        }
    if isinstance(shape, list):
        if not isinstance(value, list):
            report(f"{where} is not a list")
            return []
        return [keep_shape(inner, shape[0], f"{where}[{number}]", report) for number, inner in enumerate(value)]
    if not isinstance(value, shape) or isinstance(value, bool):
        report(f"{where} is not a {'number' if shape is int else 'string'}")
        return shape()
    return value
