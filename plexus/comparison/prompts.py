"""Compare the requests of two scorecards: the messages that their nodes sent to models for the same texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff

from plexus.comparison.differences import ONLY_NEW, ONLY_OLD, SAME
from plexus.comparison.parameters import ParameterDifference

DIFFERENT = "different"
PROMPT_KINDS = (SAME, DIFFERENT, ONLY_OLD, ONLY_NEW)
#: The roles of the messages that a scorecard writes; the others are a model's replies.
_WRITTEN = ("system", "human")

#: Node → its system and user messages for one text, in the order of the requests: (role, content) pairs.
Prompts = dict[str, list[tuple[str, str]]]


@dataclass
class PromptAgreement:
    """How the prompts of one score agree, over the rows for which OLD or NEW asked a model.

    `parameters` are the different ones of its requests, which are the same for every row. `nodes` counts the rows of
    each node by PROMPT_KINDS, `silent` the rows for which neither asked. `first` is the first different prompt as the
    lines of a unified diff.
    """

    score: str
    parameters: Sequence[ParameterDifference] = ()
    rows: int = 0
    same: int = 0
    silent: int = 0
    nodes: dict[str, Counter[str]] = field(default_factory=dict)
    first: list[str] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """The share of rows whose prompts are the same at every node; None if no model was asked."""
        return self.same / self.rows if self.rows else None

    def add(self, item: str, old: Prompts, new: Prompts) -> None:
        """Compare the prompts for one item.

        An item counts as the same if every node sent the same messages, and as silent if no model was asked on either
        side. Only the first difference is kept in full.
        """
        kinds = {node: _classify(old.get(node), new.get(node)) for node in {**old, **new}}
        if not kinds:
            self.silent += 1
            return
        self.rows += 1
        self.same += all(kind == SAME for kind in kinds.values())
        for node, kind in kinds.items():
            self.nodes.setdefault(node, Counter())[kind] += 1
            if kind == DIFFERENT and not self.first:
                first, second = (f"{side}, item {item}, node {node}" for side in ("OLD", "NEW"))
                lines = _list_lines(old[node]), _list_lines(new[node])
                self.first = list(unified_diff(lines[0], lines[1], first, second, lineterm=""))

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON values."""
        nodes = {node: {kind: counts[kind] for kind in PROMPT_KINDS} for node, counts in self.nodes.items()}
        figures = {"rows": self.rows, "same": self.same, "silent": self.silent}
        parameters = [each.as_dict() for each in self.parameters]
        return {"score": self.score, **figures, "parameters": parameters, "nodes": nodes, "first": self.first}


def list_prompts(outcome: Mapping[str, object]) -> Prompts:
    """Return the prompts in the trace of an outcome, whose context kept exchanges; empty if no model was asked.

    Messages of the roles that a scorecard writes, in the order in which they were sent; replies are not among them.
    """
    trace = outcome.get("trace")
    nodes = trace.get("nodes") if isinstance(trace, Mapping) else None
    return {
        node: [
            (role, content)
            for exchange in fields["exchanges"]
            for role, content in exchange["messages"]
            if role in _WRITTEN
        ]
        for node, fields in (nodes.items() if isinstance(nodes, Mapping) else ())
        if "exchanges" in fields
    }


def _classify(old: object, new: object) -> str:
    """Return one of PROMPT_KINDS for a node's messages, None on a side that did not ask."""
    if old is None or new is None:
        return ONLY_NEW if old is None else ONLY_OLD
    return SAME if old == new else DIFFERENT


def _list_lines(messages: list[tuple[str, str]]) -> list[str]:
    return [
        line
        for role, content in messages
        for line in (f"{'user' if role == 'human' else role}:", *(f"  {line}" for line in content.split("\n")))
    ]
