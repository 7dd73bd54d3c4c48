"""Outputs that look like a field but name none: the word itself would become the value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from plexus.graph.node_outputs import FIELDS, list_aliases, list_classes, list_edges, list_fields
from plexus.graph.references import parse_reference
from plexus.graph.state import INITIAL_NAMES
from plexus.problems import Finding, KeyPath, suggest
from plexus.text import fold

if TYPE_CHECKING:
    from plexus.configuration.graph import LangGraphScore

_CHECKED = ("value", "explanation", "confidence")
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?")
# Fields that nodes have here, or had in the original Plexus, from which scorecards may come.
_FIELDS = frozenset(("completion", *(name for names in FIELDS.values() for name in names)))


def check(score: LangGraphScore, path: KeyPath) -> Iterator[Finding]:
    """Yield a finding for each literal that is written like a field, and is not a value that the scorecard names."""
    names = {*INITIAL_NAMES, *(node.name for node in score.graph)}
    names |= {name for node in score.graph for name in (*list_aliases(node), *list_fields(node))}
    values = {fold(value) for value in _list_named_values(score)}
    outputs: list[tuple[KeyPath, Mapping[str, object]]] = [(path, score.output)]
    for index, node in enumerate(score.graph):
        inside = (*path, "graph", index)
        outputs.append((inside, node.output))
        outputs += [((*inside, *inner), edge.output) for inner, edge in list_edges(node)]
    for where, output in outputs:
        for alias, value in output.items():
            if alias in _CHECKED and isinstance(value, str) and _is_unknown(value, names, values):
                message = f"{value!r} is not a field, so the word itself would become the {alias}; fields are "
                message += f"{', '.join(sorted(names))}. If it is a value, list it in `validation.value.valid_classes`"
                yield Finding((*where, "output", alias), message, rule="unknown-field")


def _is_unknown(value: str, names: set[str], values: set[str]) -> bool:
    if not _IDENTIFIER.fullmatch(value) or parse_reference(value, names) is not None:
        return False
    if value.partition(".")[0] in _FIELDS:
        return True
    return fold(value) not in values and not suggest(value, names)  # else it is reported by the rule `near-miss`


def _list_named_values(score: LangGraphScore) -> Iterator[str]:
    """Yield the values that the scorecard names: classes, validation, tests, and what conditions compare with."""
    for node in score.graph:
        yield from list_classes(node) or ()
        for branch in node.conditions:
            yield from map(str, branch.values)
    if score.validation is not None and score.validation.value is not None:
        yield from score.validation.value.valid_classes or ()
    yield from (case.value for case in score.tests)
