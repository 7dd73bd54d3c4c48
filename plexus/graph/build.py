"""A LangGraphScore's configuration → a compiled LangGraph graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.graph import END, START, StateGraph

from plexus import conditions
from plexus.graph import nodes
from plexus.graph.fields import aliases_of, fields_of
from plexus.graph.references import Outputs, Reference
from plexus.graph.state import END as STOP
from plexus.graph.state import GIVEN, Run, State
from plexus.values import plain


@dataclass(frozen=True)
class _Branch:
    """One way out of a node; `condition` is None for the way that is taken when no other is."""

    condition: Any | None
    field: Reference
    target: str
    outputs: Outputs


def known_names(graph: list[Any]) -> set[str]:
    """Every name that the graph defines anywhere: an `output` that says one of them means the field."""
    names = set(GIVEN)
    for node in graph:
        names |= {node.name, *aliases_of(node)}
    return names


def compiled(configuration: Any, make_asker: Callable[[Any], Any]) -> Any:
    """The graph, ready for any number of invocations from several threads."""
    graph = StateGraph(State)
    listed = configuration.graph
    names = known_names(listed)
    for index, node in enumerate(listed):
        known = names | set(fields_of(node))
        following = listed[index + 1].name if index + 1 < len(listed) else STOP
        branches = _branches(node, following, known)
        graph.add_node(node.name, _step(node, branches, known, make_asker))
        targets = list(dict.fromkeys(branch.target for branch in branches))
        if len(targets) == 1:
            graph.add_edge(node.name, _place(targets[0]))
        else:
            graph.add_conditional_edges(node.name, _goto, {target: _place(target) for target in targets})
    graph.add_edge(START, listed[0].name)
    return graph.compile()


def _branches(node: Any, following: str, known: set[str]) -> list[_Branch]:
    default = Reference((fields_of(node)[0],))
    made = [
        _Branch(
            each,
            Reference(tuple(each.state.split("."))) if each.state else default,
            each.node,
            Outputs.of(each.output, known),
        )
        for each in node.conditions
    ]
    edge = node.edge
    made.append(
        _Branch(None, default, edge.node if edge else following, Outputs.of(edge.output if edge else {}, known))
    )
    return made


def _step(node: Any, branches: list[_Branch], known: set[str], make_asker: Callable[[Any], Any]) -> Any:
    work = nodes.work(node, make_asker)
    outputs = Outputs.of(node.output, known)

    def step(state: State) -> dict[str, Any]:
        values, run = state["values"], state["run"]
        run.path.append(node.name)
        fields = work(values, run)
        added = fields.pop("set", {})
        trace = run.nodes.setdefault(node.name, {})
        trace.update(plain(fields))
        changed = {node.name: fields, **added, **outputs.resolve(fields, added, values)}
        branch = _chosen(branches, fields, {**values, **changed})
        chosen = branch.outputs.resolve(fields, changed, values)
        update = {"values": {**changed, **chosen}, "goto": branch.target}
        if branch.target == STOP:
            update["final"] = chosen
        return update

    return step


def _chosen(branches: list[_Branch], fields: Mapping[str, Any], values: Mapping[str, Any]) -> _Branch:
    for branch in branches:
        if branch.condition is None or conditions.holds(branch.condition, branch.field.find(fields, values)):
            return branch
    raise AssertionError("the last branch has no condition")


def _goto(state: State) -> str:
    return state["goto"]


def _place(target: str) -> str:
    return END if target == STOP else target


def start(text: str, metadata: Mapping[str, Any], results: Mapping[str, Any], run: Run) -> State:
    """The state at the entry."""
    return {"values": {"text": text, "metadata": metadata, "results": results}, "final": {}, "goto": "", "run": run}
