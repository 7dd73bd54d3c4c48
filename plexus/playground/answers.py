"""Lint and score the cards that the playground's page sends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import plexus
from plexus import lint
from plexus.context import Context
from plexus.exceptions import InvalidData, InvalidScorecard, PlexusError
from plexus.values import Item, Outcome, Result

if TYPE_CHECKING:
    from plexus.configuration.common import Condition
    from plexus.configuration.graph import LangGraphScore
    from plexus.scorecard import Score, Scorecard

#: Seconds for one text with all of its scores, after which the remaining scores fail with DeadlineExceeded.
TIMEOUT_S = 120.0


@dataclass
class Playground:
    """Scores texts with cards that are edited on the page; relative paths start at the folder of `path`.

    Nothing is written. One text is scored at a time, for at most 120 s; the last card stays loaded with its models.
    """

    path: Path
    context: Context
    store: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _loaded: tuple[str, Scorecard] | None = field(default=None, init=False)

    def lint(self, card: str) -> list[dict[str, object]]:
        """Return the problems that `plexus lint` finds, each with line and column from 1.

        Nothing is written, and no provider is asked.
        """
        problems = lint.lint(card, name=self.path.name, folder=self.path.parent, store=self.store)
        return [
            {**asdict(problem.position), "message": problem.message, "severity": problem.severity, "rule": problem.rule}
            for problem in problems
        ]

    def score(self, card: str, text: str, metadata: Mapping[str, object]) -> list[dict[str, object]]:
        """Return a JSON object for each enabled score: its outcome, and for a graph its nodes.

        Raises InvalidScorecard, or another PlexusError that concerns the whole text.
        """
        with self._lock:
            if self._loaded is None or self._loaded[0] != card:
                self._loaded = (card, plexus.load(card, name=self.path.name, folder=self.path.parent))
            scorecard = self._loaded[1]
            context = replace(self.context, deadline=time.monotonic() + TIMEOUT_S, exchanges=True)
            item = Item(text, metadata)
            outcomes = plexus.score_all(scorecard, [item], context=context)
        return [_describe(scorecard, scorecard.find(name), item, outcome) for name, (outcome,) in outcomes.items()]


def read_request(document: object, *names: str) -> tuple[str, ...]:
    """Return the strings of these names in a request. Raises InvalidData if one is missing or is not a string.

    In the order of `names`; other members are ignored.
    """
    if not isinstance(document, dict):
        raise InvalidData(f"the request: got {type(document).__name__}, expected a JSON object")
    values = []
    for name in names:
        if not isinstance(value := document.get(name), str):
            raise InvalidData(f"the request: {name}: got {type(value).__name__}, expected a string")
        values.append(value)
    return tuple(values)


def list_problems(error: InvalidScorecard) -> list[str]:
    """Return a line for each problem of a card."""
    return [str(problem) for problem in error.problems]


def _describe(scorecard: Scorecard, score: Score, item: Item, outcome: Outcome) -> dict[str, object]:
    """Return a score's outcome as JSON values, with the text that its scorer read: None if a processor failed."""
    entry: dict[str, object] = {"name": score.name, "class": score.configuration.class_name}
    if isinstance(outcome, Result):
        entry |= outcome.as_dict()
        trace: Mapping[str, object] = outcome.trace
    else:
        usage, cost = outcome.spent or (None, None)
        entry |= {
            "error": type(outcome).__name__,
            "message": str(outcome),
            "usage": usage.as_dict() if usage is not None else None,
            "cost": None if cost is None else str(cost),
        }
        trace = outcome.trace or {}
    entry["trace"] = dict(trace)
    try:
        entry["processed_text"] = scorecard.process(score)(item).text
    except PlexusError:  # the outcome has the message
        entry["processed_text"] = None
    if score.configuration.class_name == "LangGraphScore":
        entry["graph"] = _describe_graph(score.configuration)
    return entry


def _describe_graph(configuration: LangGraphScore) -> list[dict[str, object]]:
    """Return the nodes in the order of the card, each with its edges: where to, and when."""
    nodes: list[dict[str, object]] = []
    following = [*(node.name for node in configuration.graph[1:]), "END"]
    for node, default in zip(configuration.graph, following, strict=True):
        edges = [{"to": branch.node, "when": _format_condition(branch)} for branch in node.conditions]
        edges.append({"to": node.edge.node if node.edge is not None else default, "when": ""})
        nodes.append({"name": node.name, "class": node.class_name, "edges": edges})
    return nodes


def _format_condition(condition: Condition) -> str:
    """Return a condition as the card spells it, the field that it tests first."""
    keys = condition.model_dump(exclude_unset=True, exclude={"node", "output"}, mode="json")
    ordered = sorted(keys, key=lambda name: name != "state")
    return ", ".join(f"{name}: {json.dumps(keys[name], ensure_ascii=False)}" for name in ordered)
