"""Names and dependencies: unique, known, without cycles. Works on plain values, so that it also sees invalid scores."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from plexus.checks.circles import circles
from plexus.problems import Finding, nearest

MOST = 100
"""Circles that are told: a card of thousands that lead in circles is told soon, too."""


def check(value: Any) -> list[Finding]:
    """Findings about the scores' names and what they depend on."""
    listed = value.get("scores") if isinstance(value, dict) else None
    known = listed if isinstance(listed, list) else []
    scores = [(index, each) for index, each in enumerate(known) if isinstance(each, dict)]
    found = [*_unique(scores, "name"), *_unique(scores, "key"), *_unique(scores, "id")]
    names = {each["name"]: index for index, each in scores if isinstance(each.get("name"), str)}
    for index, each in scores:
        found += _known(index, each, names)
    return [*found, *_cycles(scores, names)]


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


def _known(index: int, score: Any, names: Collection[str]) -> Iterator[Finding]:
    listed = score.get("depends_on")
    for place, name in enumerate(depends_on(score)):
        path = ("scores", index, "depends_on", place if isinstance(listed, list) else name)
        if name == score.get("name"):
            yield Finding(path, "a score cannot depend on itself", rule="dependency", on_key=True)
        elif name not in names:
            message = f"there is no score {name!r}{nearest(name, names)}"
            yield Finding(path, message, rule="dependency", on_key=True)


def _cycles(scores: list[tuple[int, Any]], names: dict[str, int]) -> Iterator[Finding]:
    edges: dict[str, list[str]] = {name: [] for name in names}
    for _, score in scores:
        name = score.get("name")
        if isinstance(name, str):
            edges[name] = [each for each in dict.fromkeys(depends_on(score)) if each in names and each != name]
    for count, circle in enumerate(islice(circles(edges), MOST), start=1):
        more = f"; there may be more circles than these {MOST}" if count == MOST else ""
        message = f"the scores depend on each other in a circle: {' → '.join([*circle, circle[0]])}{more}"
        yield Finding(("scores", names[circle[0]], "depends_on"), message, rule="cycle", on_key=True)
