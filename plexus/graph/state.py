"""What travels through a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypedDict

from plexus.context import Context
from plexus.exceptions import BudgetExceeded
from plexus.values import NO_USAGE, Usage

#: The names that every graph has from the start.
GIVEN = ("text", "metadata", "results")
END = "END"


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """How LangGraph joins what a node returns with what was there."""
    return {**old, **new}


@dataclass
class Run:
    """One item's way through one graph: what it may spend, what it has spent, where it was."""

    context: Context
    budget: Decimal | None = None
    usage: Usage = NO_USAGE
    cost: Decimal | None = None
    path: list[str] = field(default_factory=list)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def check_budget(self) -> None:
        """Raises BudgetExceeded when the budget is spent: before the next call, not after it."""
        if self.budget is not None and (self.cost or Decimal(0)) >= self.budget:
            raise BudgetExceeded(
                f"the budget of ${self.budget} is spent (${self.cost}) before the node {self.path[-1]!r}"
            )

    def spend(self, usage: Usage, cost: Decimal | None) -> None:
        """Adds one call to the item's account and to its node's."""
        self.usage += usage
        if cost is not None:
            self.cost = (self.cost or Decimal(0)) + cost
        spent = self.nodes.setdefault(self.path[-1], {})
        for name in ("calls", "input_tokens", "output_tokens"):
            spent[name] = spent.get(name, 0) + getattr(usage, name)
        if cost is not None:
            spent["cost"] = str(Decimal(spent.get("cost", "0")) + cost)


class State(TypedDict):
    """`values` holds text, metadata, results, aliases and, under each node's name, its fields.

    `goto` is where the last node leads; `final` is what a branch to END set.
    """

    values: Annotated[dict[str, Any], merged]
    final: dict[str, Any]
    goto: str
    run: Run


Fields = dict[str, Any]
#: A node's work: the values so far and the run → its fields, `classification`, `value`, `explanation`, ….
Work = Callable[[Mapping[str, Any], Run], Fields]
