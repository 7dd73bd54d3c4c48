"""Names and dependencies: unique, known, without cycles. Works on plain values, so that it also sees invalid scores."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator
from typing import Any

from plexus.problems import Finding, nearest


def check(value: Any) -> list[Finding]:
    """Findings about the scores' names and what they depend on."""
    listed = value.get("scores") if isinstance(value, dict) else None
    known = listed if isinstance(listed, list) else []
    scores = [(index, each) for index, each in enumerate(known) if isinstance(each, dict)]
    found = [*_unique(scores, "name"), *_unique(scores, "key"), *_unique(scores, "id")]
    names = [each["name"] for _, each in scores if isinstance(each.get("name"), str)]
    for index, each in scores:
        found += _known(index, each, names)
    return found + list(_cycles(scores, names))


def depends_on(score: Any) -> list[str]:
    """The names in `depends_on`, whichever form it has."""
    listed = score.get("depends_on") if isinstance(score, dict) else None
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, (list, dict)) else []


def _unique(scores: list[tuple[int, Any]], key: str) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, score in scores:
        value = score.get(key)
        if not isinstance(value, str):
            continue
        if value in first:
            yield Finding(("scores", index, key), f"two scores have the {key} {value!r}", rule="duplicate")
        first.setdefault(value, index)


def _known(index: int, score: Any, names: list[str]) -> Iterator[Finding]:
    listed = score.get("depends_on")
    for place, name in enumerate(depends_on(score)):
        path = ("scores", index, "depends_on", place if isinstance(listed, list) else name)
        if name == score.get("name"):
            yield Finding(path, "a score cannot depend on itself", rule="dependency", on_key=True)
        elif name not in names:
            message = f"there is no score {name!r}{nearest(name, names)}"
            yield Finding(path, message, rule="dependency", on_key=True)


def _cycles(scores: list[tuple[int, Any]], names: list[str]) -> Iterator[Finding]:
    edges = {
        score["name"]: {name for name in depends_on(score) if name in names and name != score["name"]}
        for _, score in scores
        if isinstance(score.get("name"), str)
    }
    while True:
        try:
            graphlib.TopologicalSorter(edges).prepare()
        except graphlib.CycleError as error:
            # graphlib lists a cycle as "comes before"; read the other way round it is "depends on".
            cycle = list(reversed(error.args[1]))
            index = next(index for index, score in scores if score.get("name") == cycle[0])
            yield Finding(
                ("scores", index, "depends_on"),
                f"the scores depend on each other in a circle: {' → '.join(cycle)}",
                rule="cycle",
                on_key=True,
            )
            edges[cycle[0]] = edges[cycle[0]] - {cycle[1]}
        else:
            return
