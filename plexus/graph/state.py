"""The state of a graph while one item passes through it, and the item's run: its limits, costs and path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypedDict

from plexus.context import Context
from plexus.exceptions import BudgetExceeded
from plexus.prices import Price
from plexus.usage import NO_USAGE, Usage

#: The names that have a value at every node.
INITIAL_NAMES = ("text", "metadata", "results")
#: The target of an edge that leaves the graph.
END = "END"

#: A node's fields by name, as its trace shows them.
Fields = dict[str, object]


def merge_values(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    """Merge a node's update into the state, as LangGraph calls it; new values replace old ones."""
    return {**old, **new}


_ALWAYS_COUNTED = ("calls", "input_tokens", "output_tokens")


@dataclass
class Run:
    """One item's run through one graph: its limits, its spending so far, and its path.

    `known_cost` is in US dollars; `unpriced` has the reason of each call whose cost is unknown.
    """

    context: Context
    budget: Decimal | None = None
    usage: Usage = NO_USAGE
    known_cost: Decimal = Decimal(0)
    unpriced: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def cost(self) -> Decimal | None:
        """The cost of all calls in US dollars; None if there was no call, or if the cost of one is unknown."""
        return self.known_cost if self.usage.calls and not self.unpriced else None

    def check_budget(self) -> None:
        """Raise BudgetExceeded if the budget is spent, or if the amount spent is unknown; called before each call."""
        if self.budget is None:
            return
        node = self.path[-1]
        if self.unpriced:
            raise BudgetExceeded(
                f"the budget cannot be kept before the node {node!r}: {self.unpriced[0]}. next: remove `budget`"
            )
        if self.known_cost >= self.budget:
            raise BudgetExceeded(
                f"the budget is spent before the node {node!r}: spent ${self.known_cost} of ${self.budget}"
            )

    def keep(self, messages: Sequence[tuple[str, str]]) -> dict[str, object]:
        """Add a request's messages, (role, content) pairs, to the current node's trace; the caller adds `reply`."""
        exchange: dict[str, object] = {"messages": [list(message) for message in messages], "reply": None}
        self.nodes.setdefault(self.path[-1], {}).setdefault("exchanges", []).append(exchange)
        return exchange

    def spend(self, model: str, usage: Usage, price: Price | None, tier: str = "") -> None:
        """Add one call to the item's totals and to the current node's.

        `price` is None if it is unknown, `tier` the reply's tier of service. A call whose cost is unknown is counted
        as unpriced.
        """
        self.usage += usage
        spent = self.nodes.setdefault(self.path[-1], {})
        counts = {name: count for name, count in usage.as_dict().items() if count or name in _ALWAYS_COUNTED}
        for name, count in counts.items():
            spent[name] = spent.get(name, 0) + count
        cost = None if price is None or (usage.unmetered and not price.is_free) else price.of(usage, tier)
        if cost is None:
            why = "did not report its tokens" if price is None or usage.unmetered else f"has no known rates of {tier!r}"
            self.unpriced.append(f"{model} {why}")
            spent["cost"] = None
            return
        self.known_cost += cost
        if spent.get("cost", "0") is not None:
            spent["cost"] = str(Decimal(spent.get("cost", "0")) + cost)


class State(TypedDict):
    """LangGraph's state.

    `values` maps text, metadata, results and aliases to their values, and each node's name to its fields. `goto` is
    the target of the last edge; `final` is what an edge to END set.
    """

    values: Annotated[dict[str, object], merge_values]
    final: dict[str, object]
    goto: str
    run: Run


#: A node's work: the values so far and the run → its fields. The key `set` holds aliases to add to the state.
Work = Callable[[Mapping[str, object], Run], Fields]
