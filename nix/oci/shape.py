"""JSON documents of strangers: what of them has the shape that readers rely on, and what is noted and left out."""

import json
from collections.abc import Callable, Sequence
from typing import Any

# A type; a list that holds the shape of its items; or keys with the shapes of their values, all of them optional.
Shape = Any

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


def decoded(data: bytes) -> Any:
    """The value of a JSON document; ValueError also for what readers take differently or cannot take at all."""
    try:
        return json.loads(data, object_pairs_hook=_keys_once)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _keys_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the key {twice[:40]!r} twice")
    return found


def shaped(value: Any, shape: Shape, where: str, tell: Callable[[str], object]) -> Any:
    """`value` without what does not fit `shape`; each such place is told and becomes empty. Null counts as absent."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            tell(f"{where} is no object")
            return {}
        return {
            key: shaped(held, shape[key], f"{where}.{key}", tell) if key in shape else held
            for key, held in value.items()
            if held is not None
        }
    if isinstance(shape, list):
        if not isinstance(value, list):
            tell(f"{where} is no list")
            return []
        return [shaped(held, shape[0], f"{where}[{number}]", tell) for number, held in enumerate(value)]
    if not isinstance(value, shape) or isinstance(value, bool):
        tell(f"{where} is no {'number' if shape is int else 'text'}")
        return shape()
    return value
