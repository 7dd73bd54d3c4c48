"""What the original sends to a model although a scorecard does not write it, and what it never sends to some models."""

from __future__ import annotations

import re
from collections.abc import Mapping

from plexus.document import Yaml
from plexus.graph.providers import INSTEAD, find_unknown_parameters, normalize_provider
from plexus.original.notes import Notes

_NAMES = ("model_provider", "model_name")
_SAMPLING = ("temperature", "top_p", "reasoning_effort")
_MODEL = (*_NAMES, "model_region", "max_tokens", *_SAMPLING)
_MESSAGES = ("system_message", "user_message")
#: The classes of nodes that call no model.
_SILENT = ("LogicalClassifier", "LogicalNode", "FuzzyMatchClassifier", "FuzzyMatchExtractor")


def set_sampling(score: dict[str, Yaml], notes: Notes) -> None:
    """Write the original's parameters beside each name of a model: in a score with a graph, and in its nodes."""
    written = {name: score[name] for name in (*_SAMPLING, "model_region") if name in score}
    if score.get("model_name") is not None:
        _name_provider(score, score, notes)
        _set_region(score, score, written.get("model_region"), notes)
        _drop_refused(score, score, notes)
        added = {name: value for name, value in _list_defaults(score).items() if name not in written}
        score |= added
        _note_unwritten(score, added, notes)
    graph = score.get("graph")
    for place, node in enumerate(graph if isinstance(graph, list) else []):
        if not isinstance(node, dict) or node.get("class") in _SILENT or node.keys().isdisjoint(_MESSAGES):
            continue
        if {**score, **node}.get("model_name") is not None and not node.keys().isdisjoint((*_NAMES, *_SAMPLING)):
            _set_of_node(node, score, written, notes.at("graph", place))
        if isinstance(model := node.get("explanation_model"), Mapping):
            complete: dict[str, Yaml] = {"model_provider": "AzureChatOpenAI", **model}
            kept = {key: value for key, value in complete.items() if key in _MODEL}
            _drop_refused(kept, complete, notes.at("graph", place, "explanation_model"))
            inherited = dict.fromkeys(name for name in _SAMPLING if name in {**score, **node})
            node["explanation_model"] = explaining = {**inherited, **_list_defaults(complete), **kept}
            _set_region(explaining, {**explaining}, kept.get("model_region"), notes.at("graph", place))


def _set_of_node(node: dict[str, Yaml], score: Mapping[str, Yaml], written: Mapping[str, Yaml], notes: Notes) -> None:
    _name_provider(node, {**score, **node}, notes)
    _set_region(node, {**score, **node}, node.get("model_region", written.get("model_region")), notes)
    model = {**score, **node}
    _drop_refused(node, model, notes)
    defaults = _list_defaults(model)
    added: dict[str, Yaml] = {}
    for name in _SAMPLING:
        is_sent = name in defaults or (name == "reasoning_effort" and _can_reason(model))
        value = written.get(name, defaults.get(name)) if is_sent else None
        if name not in node and score.get(name) != value:
            added[name] = value  # null: the provider's default
    node |= added
    if score.get("model_name") is None:
        _note_unwritten(model, {} if "temperature" in written else added, notes)


def _name_provider(part: dict[str, Yaml], model: Mapping[str, Yaml], notes: Notes) -> None:
    """Write the provider that the original asks if none is named for the part's model."""
    if model.get("model_provider") is None:
        part["model_provider"] = "azure"
        notes.add("renamed", "without `model_provider` the original asks Azure", "model_name")
    provider = normalize_provider(str(part.get("model_provider")))
    if provider in INSTEAD:
        message = f"the image has no package for {part['model_provider']}. next: {INSTEAD[provider]}"
        notes.add("changed", message, "model_provider")


def _set_region(part: dict[str, Yaml], model: Mapping[str, Yaml], written: Yaml, notes: Notes) -> None:
    """Write the region that the original asks if none is written; it reads a region for Bedrock only."""
    if normalize_provider(str(model.get("model_provider"))) != "bedrock_converse":
        if part.pop("model_region", None) is not None:
            notes.add("dropped", "the original reads it for Bedrock only", "model_region")
        return
    region = written or ("us-west-2" if "gpt-oss" in str(model.get("model_name")).lower() else "us-east-1")
    if model.get("model_region") != region:
        part["model_region"] = region
        notes.add("renamed", f"without `model_region` the original asks {region}", "model_name")


def _note_unwritten(model: Mapping[str, Yaml], added: Mapping[str, Yaml], notes: Notes) -> None:
    if added.get("temperature") is not None:
        notes.add("renamed", "without `temperature` the original sends 0", "model_name")
    if "max_tokens" not in model:
        notes.add("dropped", "the original cuts a reply after 500 tokens; here it is complete", "model_name")


def _drop_refused(part: dict[str, Yaml], model: Mapping[str, Yaml], notes: Notes) -> None:
    for name in ("temperature", "top_p"):
        if part.get(name) is not None and not _accepts(model, name):
            is_withheld = "gpt-5" in str(model.get("model_name")).lower()
            why = "the original does not send it to this model, which refuses it"
            notes.add("dropped", why if is_withheld else "the model refuses it", name)
            del part[name]
    if part.get("reasoning_effort") is not None and not _can_reason(model):
        notes.add("dropped", "the original sends it to OpenAI's reasoning models only", "reasoning_effort")
        del part["reasoning_effort"]


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


def _can_reason(model: Mapping[str, Yaml]) -> bool:
    return re.search(r"gpt-5|(?:^|[/.:-])o\d", str(model.get("model_name")).lower()) is not None


def _accepts(model: Mapping[str, Yaml], parameter: str) -> bool:
    """Return whether a model accepts a parameter: the original refuses for GPT-5, and OpenAI for o1, o3 and o4 too."""
    if re.search(r"gpt-5|(?:^|[/.:-])o[134]\b", str(model.get("model_name")).lower()):
        return False
    return not find_unknown_parameters(normalize_provider(str(model.get("model_provider"))), [parameter])
