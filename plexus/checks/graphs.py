"""Graphs of nodes: unique and known names, templates and expressions that parse, models that are named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from plexus.checks import flow, variables
from plexus.exceptions import PlexusError
from plexus.graph import providers
from plexus.graph.labels import find_collisions
from plexus.graph.node_outputs import as_model_node, list_edges
from plexus.graph.state import END, INITIAL_NAMES
from plexus.language.expression import Expression
from plexus.language.templates import find_variables
from plexus.problems import Finding, KeyPath, suggest

if TYPE_CHECKING:
    from plexus.configuration.card import AnyScore
    from plexus.configuration.graph import AnyNode, LangGraphScore, ModelNode


def check(scores: Mapping[int, AnyScore]) -> list[Finding]:
    """Return findings about the graphs of LangGraphScores and about the sources of CompositeScores."""
    findings: list[Finding] = []
    for index, score in scores.items():
        path: KeyPath = ("scores", index)
        if score.class_name == "LangGraphScore":
            findings += _check_graph(score, path)
        elif score.class_name == "CompositeScore":
            findings += _check_source(score.expression, (*path, "expression"), Expression)
            findings += _check_source(score.explanation, (*path, "explanation"), find_variables)
            findings += variables.check_composite(score, path)
    return findings


def _check_graph(score: LangGraphScore, path: KeyPath) -> list[Finding]:
    shape = [*_check_names(score.graph, path), *_check_targets(score.graph, path)]
    findings = [*shape, *_check_sources(score.graph, path), *_check_models(score, path)]
    findings += _check_classes(score.graph, path)
    if shape:  # without unique names and existing targets, edges cannot be followed
        return findings
    paths = flow.follow(score.graph)
    findings += [*flow.check(score.graph, paths, path), *variables.check_graph(score, paths, path)]
    return [*findings, *_check_value(score, paths, path)]


def _check_names(graph: Sequence[AnyNode], path: KeyPath) -> Iterator[Finding]:
    names: set[str] = set()
    for index, node in enumerate(graph):
        if node.name in names:
            yield Finding((*path, "graph", index, "name"), f"two nodes have the name {node.name!r}", rule="graph")
        if node.name in (END, *INITIAL_NAMES):
            message = f"a node cannot have the reserved name {node.name!r}"
            yield Finding((*path, "graph", index, "name"), message, rule="graph")
        names.add(node.name)


def _check_targets(graph: Sequence[AnyNode], path: KeyPath) -> Iterator[Finding]:
    targets = [*(node.name for node in graph), END]
    for index, node in enumerate(graph):
        for inner, edge in list_edges(node):
            if edge.node not in targets:
                message = f"there is no node {edge.node!r}{suggest(edge.node, targets)}"
                yield Finding((*path, "graph", index, *inner, "node"), message, rule="graph")


def _check_value(score: LangGraphScore, paths: flow.Flow, path: KeyPath) -> Iterator[Finding]:
    """Check that an `output` sets a value, unless an edge to END does: every text would fail otherwise."""
    ends = [step for name in paths.reached for step in paths.exits[name] if step.target == END]
    if score.output and "value" not in score.output and not any("value" in step.aliases for step in ends):
        message = "`value` is missing: the score would fail for every text; name its field, as in `value: node.value`"
        yield Finding((*path, "output"), message, rule="no-value", on_key=True)


def _check_classes(graph: Sequence[AnyNode], path: KeyPath) -> Iterator[Finding]:
    """Check that no two classes of a node fold to the same words: one of them could never be read."""
    for index, node in enumerate(graph):
        if node.class_name in ("Classifier", "MultiClassClassifier"):
            for label, other in find_collisions(node.valid_classes):
                collision = f"and {other!r} are the same in a reply" if other else "has no visible character"
                at = (*path, "graph", index, "valid_classes", node.valid_classes.index(label))
                yield Finding(at, f"the class {label!r} {collision}", rule="colliding-classes")


def _check_sources(graph: Sequence[AnyNode], path: KeyPath) -> Iterator[Finding]:
    for index, node in enumerate(graph):
        node_path = (*path, "graph", index)
        if node.class_name == "LogicalClassifier":
            yield from _check_source(node.explanation, (*node_path, "explanation"), find_variables)
            yield from _check_source(node.expression, (*node_path, "expression"), Expression)
        elif node.class_name == "LogicalNode":
            for alias, source in node.set.items():
                yield from _check_source(source, (*node_path, "set", alias), Expression)
        elif (model_node := as_model_node(node)) is not None:
            for key, message in model_node.templates.items():
                yield from _check_source(message, (*node_path, key), find_variables)


def _check_source(source: str | None, path: KeyPath, parse: Callable[[str], object]) -> Iterator[Finding]:
    if source is None:
        return
    try:
        parse(source)
    except PlexusError as error:
        yield Finding(path, str(error), rule="source")


def _check_models(score: LangGraphScore, path: KeyPath) -> Iterator[Finding]:
    yield from _check_provider(score.model_provider, path)
    for index, node in enumerate(score.graph):
        if (model_node := as_model_node(node)) is not None:
            node_path = (*path, "graph", index)
            yield from _check_provider(model_node.model_provider, node_path)
            yield from _check_model_keys(model_node, score, node_path)


def _check_model_keys(node: ModelNode, score: LangGraphScore, path: KeyPath) -> Iterator[Finding]:
    keys = {
        "model_provider": (node.model_provider, score.model_provider),
        "model_name": (node.model_name, score.model_name),
    }
    missing = [f"`{key}`" for key, values in keys.items() if values == (None, None)]
    if missing:
        message = f"the node {node.name!r} calls a model, but neither it nor the score has {' and '.join(missing)}"
        yield Finding((*path, "name"), message, rule="no-model")


def _check_provider(provider: str | None, path: KeyPath) -> Iterator[Finding]:
    """Check a provider's name: a typo is an error, an unknown name may be a LangChain provider installed elsewhere."""
    if provider is None:
        return
    name = providers.normalize_provider(provider)
    # init_chat_model imports `langchain_<provider>`, so an installed package makes its provider usable.
    if name in providers.KNOWN or _is_installed(name):
        return
    at, guess = (*path, "model_provider"), suggest(provider, providers.NAMES)
    if guess and name == provider:
        yield Finding(at, f"there is no provider {provider!r}{guess}", rule="provider")
    else:
        known = ", ".join(providers.PREFERRED)
        message = f"the provider {provider!r} needs a package of its own: it is not one of {known}"
        message += f". {providers.INSTEAD[name]}" if name in providers.INSTEAD else ""
        yield Finding(at, message, "warning", "strange-provider")


def _is_installed(name: str) -> bool:
    return name.isidentifier() and find_spec(f"langchain_{name}") is not None
