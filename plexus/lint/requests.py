"""Requests to models that would fail: refused parameters, empty messages, prompts that are longer than the window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from plexus.configuration.common import PARAMETERS
from plexus.exceptions import PlexusError
from plexus.graph import providers
from plexus.graph.node_outputs import as_model_node
from plexus.graph.providers import Settings
from plexus.language.templates import parse_template
from plexus.models import find_limits
from plexus.problems import Finding, KeyPath

if TYPE_CHECKING:
    from plexus.configuration.graph import LangGraphScore, ModelNode

# A token is about four letters of English, and fewer of every other language: the estimate is a lower bound.
_LETTERS_PER_TOKEN = 4


def check(score: LangGraphScore, path: KeyPath) -> Iterator[Finding]:
    """Yield findings about the requests of each node that calls a model.

    No request is sent: limits are those of the table of models, and a model that it does not have has none.
    """
    reported: set[KeyPath] = set()
    for index, node in enumerate(score.graph):
        if (model_node := as_model_node(node)) is None:
            continue
        inside = (*path, "graph", index)
        yield from _check_messages(model_node, inside)
        try:
            settings = Settings.of(model_node, score)
        except PlexusError:
            continue  # reported by the rule `no-model`
        findings = [*_check_parameters(settings, model_node, inside, path)]
        findings += _check_explainer(model_node, score, inside)
        for finding in findings:
            if finding.path not in reported:  # a parameter of the score belongs to all of its nodes
                yield finding
            reported.add(finding.path)
        yield from _check_window(settings, model_node, inside)


def _check_parameters(settings: Settings, node: ModelNode, inside: KeyPath, outside: KeyPath) -> Iterator[Finding]:
    problems = find_limits(settings.model_id).find_problems(settings.parameters)
    unknown = providers.find_unknown_parameters(settings.provider, settings.parameters)
    problems |= dict.fromkeys(unknown, "the provider has no such parameter")
    for name in (parameter for parameter in PARAMETERS if parameter in problems):
        spelling = name
        if name == "max_tokens" and "max_completion_tokens" in node.model_fields_set:
            spelling = "max_completion_tokens"
        where = inside if spelling in node.model_fields_set else outside
        message = f"{settings.model_id} fails with this `{spelling}`: {problems[name]}"
        yield Finding((*where, spelling), message, rule="refused-parameter", on_key=True)


def _check_explainer(node: ModelNode, score: LangGraphScore, path: KeyPath) -> Iterator[Finding]:
    """Yield findings about parameters of the `explanation_model` that the node's own model does not share."""
    if (explainer := node.create_explainer()) is None:
        return
    inside = (*path, "explanation_model")
    shared = {finding.path[-1] for finding in _check_parameters(Settings.of(node, score), node, inside, inside)}
    for finding in _check_parameters(Settings.of(explainer, score), explainer, inside, inside):
        if finding.path[-1] not in shared:
            yield finding


def _check_messages(node: ModelNode, path: KeyPath) -> Iterator[Finding]:
    for key, message in node.templates.items():
        if not message.strip():
            is_question = key != "system_message" or node.user_message is None
            effect = "the node fails for every text" if is_question else "it is not sent"
            severity = "error" if is_question else "warning"
            yield Finding((*path, key), f"the message is empty: {effect}", severity, "empty-message")


def _check_window(settings: Settings, node: ModelNode, path: KeyPath) -> Iterator[Finding]:
    window = find_limits(settings.model_id).window
    lengths = {key: len(_read_static_text(message)) for key, message in node.templates.items()}
    tokens = sum(lengths.values()) // _LETTERS_PER_TOKEN
    if window is not None and tokens > window:
        key = max(lengths, key=lambda name: lengths[name])
        message = f"the prompt alone has about {tokens} tokens: {settings.model_id} accepts {window}"
        yield Finding((*path, key), message, "warning", "long-prompt", on_key=True)


def _read_static_text(source: str) -> str:
    """Return the text of a template outside of its expressions and statements."""
    from jinja2 import nodes

    try:
        return "".join(each.data for each in parse_template(source).find_all(nodes.TemplateData))
    except PlexusError:
        return ""  # reported by the rule `source`
