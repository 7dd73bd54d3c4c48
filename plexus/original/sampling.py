"""What the original sends to a model although a scorecard does not write it, and what it never sends to some models."""

from __future__ import annotations

import re
from collections.abc import Mapping

from plexus.document import Yaml
from plexus.graph.providers import INSTEAD, find_unknown_parameters, normalize_provider
from plexus.original.notes import Notes

_MODEL = ("model_provider", "model_name", "model_region", "temperature", "max_tokens", "top_p", "reasoning_effort")
_SAMPLING = ("temperature", "top_p", "reasoning_effort")


def set_sampling(score: dict[str, Yaml], notes: Notes) -> None:
    """Write the original's parameters into a score with a graph, and into each node with a model of its own."""
    if score.get("model_name") is None:
        return
    provider = normalize_provider(str(score.get("model_provider")))
    if provider in INSTEAD:
        message = f"the image has no package for {score['model_provider']}. next: {INSTEAD[provider]}"
        notes.add("changed", message, "model_provider")
    written = {name: score[name] for name in _SAMPLING if name in score}
    _drop_refused(score, score, notes)
    added = {name: value for name, value in _list_defaults(score).items() if name not in written}
    score |= added
    if "temperature" in added:
        notes.add("renamed", "without `temperature` the original sends 0", "model_name")
    if "max_tokens" not in score:
        notes.add("dropped", "the original cuts a reply after 500 tokens; here it is complete", "model_name")
    graph = score.get("graph")
    for place, node in enumerate(graph if isinstance(graph, list) else []):
        if isinstance(node, dict) and ("model_name" in node or "model_provider" in node):
            _set_of_node(node, score, written, notes.at("graph", place))
        if isinstance(node, dict) and isinstance(model := node.get("explanation_model"), Mapping):
            complete: dict[str, Yaml] = {"model_provider": "AzureChatOpenAI", **model}
            kept = {key: value for key, value in complete.items() if key in _MODEL}
            _drop_refused(kept, complete, notes.at("graph", place, "explanation_model"))
            inherited = dict.fromkeys(name for name in _SAMPLING if name in {**score, **node})
            node["explanation_model"] = {**inherited, **_list_defaults(complete), **kept}


def _set_of_node(node: dict[str, Yaml], score: Mapping[str, Yaml], written: Mapping[str, Yaml], notes: Notes) -> None:
    model = {**score, **node}
    _drop_refused(node, model, notes)
    defaults = _list_defaults(model)
    for name in _SAMPLING:
        value = written.get(name, defaults.get(name)) if name in defaults else None
        if name not in node and score.get(name) != value:
            node[name] = value  # null: the provider's default


def _drop_refused(part: dict[str, Yaml], model: Mapping[str, Yaml], notes: Notes) -> None:
    for name in ("temperature", "top_p"):
        if part.get(name) is not None and not _accepts(model, name):
            notes.add("dropped", "the original does not send it to this model, which refuses it", name)
            del part[name]


def _list_defaults(model: Mapping[str, Yaml]) -> dict[str, Yaml]:
    """Return what the original sends to a model if the scorecard does not say otherwise."""
    defaults: dict[str, Yaml] = {}
    is_openai = model.get("model_provider") == "ChatOpenAI"
    if _accepts(model, "temperature"):
        defaults["temperature"] = 0
    if is_openai and _accepts(model, "top_p"):
        defaults["top_p"] = 0.03
    if is_openai and str(model.get("model_name")).lower().startswith(("gpt-5", "o")):
        defaults["reasoning_effort"] = "low"
    return defaults


def _accepts(model: Mapping[str, Yaml], parameter: str) -> bool:
    """Return whether a model accepts a parameter: the original refuses for GPT-5, and OpenAI for o1, o3 and o4 too."""
    if re.search(r"gpt-5|(?:^|[/.:-])o[134]\b", str(model.get("model_name")).lower()):
        return False
    return not find_unknown_parameters(normalize_provider(str(model.get("model_provider"))), [parameter])
