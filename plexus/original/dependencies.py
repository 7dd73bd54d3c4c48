"""Results of other scores that a score reads without naming them in `depends_on`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from plexus.document import Yaml
from plexus.original.notes import Notes

_RESULT = re.compile(r"""results(?:\[|\.get\()\s*(["'])(?P<name>.+?)\1""")


def add_indirect(scores: Sequence[Yaml], notes: Notes) -> None:
    """Add to `depends_on` each score whose result is read, and that a dependency depends on: it has run before."""
    listed = [score for score in scores if isinstance(score, dict)]
    direct = {str(score.get("name")): _list_names(score.get("depends_on")) for score in listed}
    for place, score in enumerate(scores):
        if not isinstance(score, dict) or not (own := _list_names(score.get("depends_on"))):
            continue
        behind = set(_walk(own, direct))
        texts = json.dumps(score.get("graph"), ensure_ascii=False, default=str).replace('\\"', '"')
        read = dict.fromkeys(match["name"] for match in _RESULT.finditer(texts))
        for name in [name for name in read if name in behind and name not in own]:
            dependencies = score["depends_on"]
            if isinstance(dependencies, Mapping):
                score["depends_on"] = {**dependencies, name: None}
            else:
                score["depends_on"] = [*own, name]
            own = [*own, name]
            message = f"it reads the result of {name!r}, which a dependency of it depends on: `depends_on` names it too"
            notes.add("renamed", message, place, "depends_on")


def _list_names(dependencies: Yaml) -> list[str]:
    listed = dependencies if isinstance(dependencies, (list, dict)) else []
    return [name for name in listed if isinstance(name, str)]


def _walk(names: Sequence[str], direct: Mapping[str, Sequence[str]]) -> Iterator[str]:
    ahead, known = [*names], set(names)
    while ahead:
        for name in direct.get(ahead.pop(), ()):
            if name not in known:
                known.add(name)
                ahead.append(name)
                yield name
