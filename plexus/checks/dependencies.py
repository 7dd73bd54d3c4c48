"""Names and dependencies: unique, known, without cycles. Reads plain values, so that invalid scores are checked too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from plexus.checks.cycles import find_cycles
from plexus.problems import Finding, KeyPath, suggest

#: A scorecard of thousands of scores in cycles has more than anyone reads, and finding them all would take long.
MAXIMUM_CYCLES = 100

#: A score's index in the YAML, and its keys as they were parsed.
PlainScore = tuple[int, Mapping[str, object]]


def check(value: object) -> list[Finding]:
    """Return findings about the names of a parsed scorecard's scores and about their dependencies."""
    listed = value.get("scores") if isinstance(value, dict) else None
    scores: list[PlainScore] = [
        (index, score)
        for index, score in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(score, dict)
    ]
    findings = [*_check_unique(scores, "name"), *_check_unique(scores, "key"), *_check_unique(scores, "id")]
    names = {name: index for index, score in scores if isinstance(name := score.get("name"), str)}
    for index, score in scores:
        findings += _check_known(index, score, names)
    return [*findings, *_check_cycles(scores, names)]


def _list_dependencies(score: Mapping[str, object]) -> list[str]:
    """Return the names in `depends_on`, in either of its forms."""
    listed = score.get("depends_on")
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, (list, dict)) else []


def _check_unique(scores: list[PlainScore], key: str) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, score in scores:
        value = score.get(key)
        if not isinstance(value, str):
            continue
        if value in first:
            yield Finding(("scores", index, key), f"two scores have the {key} {value!r}", rule="duplicate")
        first.setdefault(value, index)


def _check_known(index: int, score: Mapping[str, object], names: Collection[str]) -> Iterator[Finding]:
    listed = score.get("depends_on")
    for position, name in enumerate(_list_dependencies(score)):
        path: KeyPath = ("scores", index, "depends_on", position if isinstance(listed, list) else name)
        if name == score.get("name"):
            yield Finding(path, "a score cannot depend on itself", rule="dependency", on_key=True)
        elif name not in names:
            message = f"there is no score {name!r}{suggest(name, names)}"
            yield Finding(path, message, rule="dependency", on_key=True)


def _check_cycles(scores: list[PlainScore], names: dict[str, int]) -> Iterator[Finding]:
    edges: dict[str, list[str]] = {name: [] for name in names}
    for _, score in scores:
        name = score.get("name")
        if isinstance(name, str):
            targets = dict.fromkeys(_list_dependencies(score))
            edges[name] = [target for target in targets if target in names and target != name]
    for count, cycle in enumerate(islice(find_cycles(edges), MAXIMUM_CYCLES), start=1):
        more = f"; at most {MAXIMUM_CYCLES} cycles are listed" if count == MAXIMUM_CYCLES else ""
        message = f"dependency cycle: {' → '.join([*cycle, cycle[0]])}{more}"
        yield Finding(("scores", names[cycle[0]], "depends_on"), message, rule="cycle", on_key=True)
