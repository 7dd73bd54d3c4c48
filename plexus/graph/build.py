"""Compile a LangGraphScore's configuration to a LangGraph graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from plexus import conditions, limits
from plexus.configuration.common import Condition
from plexus.configuration.graph import AnyNode, LangGraphScore, ModelNode, PromptNode
from plexus.graph import model_nodes, text_nodes
from plexus.graph.model_call import ModelCaller
from plexus.graph.node_outputs import list_aliases, list_fields
from plexus.graph.references import Outputs, Reference
from plexus.graph.state import END as STOP
from plexus.graph.state import INITIAL_NAMES, Run, State, Work
from plexus.values import Result, to_json


class Step(Protocol):
    """The function that LangGraph calls for a node."""

    def __call__(self, state: State) -> dict[str, object]:
        """Do the node's work; return the update of the state."""
        ...


Graph: TypeAlias = "CompiledStateGraph[State, None, State, State]"


@dataclass(frozen=True)
class _Branch:
    """One edge out of a node; `condition` is None for the edge that is taken if no condition is met."""

    condition: Condition | None
    field: Reference
    target: str
    outputs: Outputs


def collect_names(graph: Sequence[AnyNode]) -> set[str]:
    """Return every name that the graph defines anywhere; in an `output`, such a name refers to the field."""
    names = set(INITIAL_NAMES)
    for node in graph:
        names |= {node.name, *list_aliases(node)}
    return names


def compile_graph(configuration: LangGraphScore, create_caller: Callable[[ModelNode], ModelCaller]) -> Graph:
    """Compile the graph; it can be invoked any number of times, from several threads.

    `create_caller` is called once for each node that calls a model, and once more for its `explanation_model`.
    """
    graph = StateGraph(State)
    nodes = configuration.graph
    # Names of the whole graph, not only of earlier nodes: in a loop, a node sees the values of later ones.
    names = collect_names(nodes)
    for index, node in enumerate(nodes):
        known = names | set(list_fields(node))
        following = nodes[index + 1].name if index + 1 < len(nodes) else STOP
        branches = _list_branches(node, following, known)
        graph.add_node(node.name, _create_step(node, branches, known, create_caller))
        targets = list(dict.fromkeys(branch.target for branch in branches))
        if len(targets) == 1:
            graph.add_edge(node.name, _to_langgraph_target(targets[0]))
        else:
            graph.add_conditional_edges(
                node.name, _read_target, {target: _to_langgraph_target(target) for target in targets}
            )
    graph.add_edge(START, nodes[0].name)
    return graph.compile()


def _list_branches(node: AnyNode, following: str, known: set[str]) -> list[_Branch]:
    default = Reference((list_fields(node)[0],))
    branches = [
        _Branch(
            condition,
            Reference(tuple(condition.state.split("."))) if condition.state else default,
            condition.node,
            Outputs.of(condition.output, known),
        )
        for condition in node.conditions
    ]
    edge = node.edge
    target, output = (edge.node, edge.output) if edge else (following, {})
    return [*branches, _Branch(None, default, target, Outputs.of(output, known))]


def _create_step(
    node: AnyNode, branches: list[_Branch], known: set[str], create_caller: Callable[[ModelNode], ModelCaller]
) -> Step:
    if isinstance(node, PromptNode):
        explainer = node.create_explainer()
        work: Work = model_nodes.create_work(
            node, create_caller(node), None if explainer is None else create_caller(explainer)
        )
    else:
        work = text_nodes.create_work(node)
    outputs = Outputs.of(node.output, known)
    is_forked = len({branch.target for branch in branches}) > 1
    subject = f"the node {node.name!r}"

    def step(state: State) -> dict[str, object]:
        values, run = state["values"], state["run"]
        run.path.append(node.name)
        run.context.remaining()
        with limits.use_meter(limits.create_score_meter(subject)):
            fields = work(values, run)
        aliases = fields.pop("set", None)
        added = aliases if isinstance(aliases, dict) else {}
        trace = run.nodes.setdefault(node.name, {})
        # Converted now: a trace is stored as JSON, and fields may hold results or values of Parquet files.
        trace.update((name, to_json(value)) for name, value in fields.items())
        changed = {node.name: fields, **added, **outputs.resolve(fields, added, values)}
        branch = _choose(branches, fields, {**values, **changed})
        outcome = branch.outputs.resolve(fields, changed, values)
        # LangGraph merges `values` with merge_values; the other keys replace their old values.
        update: dict[str, object] = {"values": {**changed, **outcome}}
        if is_forked:
            update["goto"] = branch.target
        if branch.target == STOP:
            update["final"] = outcome
        return update

    return step


def _choose(branches: list[_Branch], fields: Mapping[str, object], values: Mapping[str, object]) -> _Branch:
    for branch in branches:
        if branch.condition is None or conditions.is_met(branch.condition, branch.field.find(fields, values)):
            return branch
    raise AssertionError("the last branch has no condition")


def _read_target(state: State) -> str:
    return state["goto"]


def _to_langgraph_target(target: str) -> str:
    return END if target == STOP else target


def create_state(text: str, metadata: Mapping[str, object], results: Mapping[str, Result], run: Run) -> State:
    """Create the state at the entry node."""
    return {"values": {"text": text, "metadata": metadata, "results": results}, "final": {}, "goto": "", "run": run}
