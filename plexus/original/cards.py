"""Documents in the original's form: one score, or a scorecard with `dialect: plexus-1`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from unicodedata import normalize

from plexus.document import Document, Yaml
from plexus.original.dependencies import add_indirect
from plexus.original.fields import STATE
from plexus.original.graphs import Graph
from plexus.original.nodes import translate_graph
from plexus.original.notes import Note, Notes
from plexus.original.processors import translate_processors
from plexus.original.sampling import set_sampling
from plexus.original.scores import translate_class
from plexus.original.tactus import translate_tactus
from plexus.original.unknown_keys import CARD, SCORES, drop_unknown
from plexus.problems import KeyPath, Problem
from plexus.text import hash_value

T = TypeVar("T")
DIALECT = "plexus-1"
_RENAMED = {"external_id": "externalId"}
# What describes a version in the original's database, and has no effect on a result.
_RECORDS = (
    "scorecard_name",
    "score_name",
    "version",
    "parent",
    "tags",
    "champion_version",
    "featured_version",
    "guidelines",
    "notes",
    "order",
)
_DROPPED = {
    "base_model_name": "the model's own name decides its price",
    "maximum_retry_count": "each node has its own",
    "batch": "jobs are scored one by one; there is no provider's batch",
    "single_line_messages": "the original reads it in nodes only",
    "input": "the original reads it in nodes only",
    "logprobs": "log probabilities are not asked for",
    "top_logprobs": "log probabilities are not asked for",
    "thread_id": "there are no checkpoints",
    "valid_classes": "each node has its own; `validation: {value: {valid_classes: […]}}` checks the score's value",
    "completion_template": "the original's current nodes do not use it",
}
# Sources of texts that are files attached to an item: what to do instead.
_ITEM = "write the file's text into the item's `text` when you create it, and delete `class` and `options`"
_SOURCES = {
    "DeepgramInputSource": "write the transcript into the item's `metadata.transcript`, a list of {speaker, text, "
    "start, end}, when you create it, and replace `class` and `options` by the processor TranscriptFormat or TimeSlice",
}
#: The keys that come first, in this order, as in the examples of this library.
_HEAD = ("name", "key", "id", "externalId", "external_id", "description", "class", "depends_on")
_MODEL = ("model_provider", "model_name", "model_region", "base_url", "temperature", "max_tokens", "top_p")
_SINGLE = ("graph", "class", "model_provider", "model_name")


@dataclass(frozen=True)
class Translation:
    """The translated document, and the notes about it, whose paths are those of the original document."""

    original: Document
    document: Document
    notes: tuple[Note, ...]

    @property
    def problems(self) -> list[Problem]:
        """The parts without a counterpart, in the order of the file."""
        problems = [
            Problem(self.original.name, note.locate(self.original), note.message, note.path, rule="original")
            for note in self.notes
            if note.kind == "unsupported"
        ]
        return sorted(problems, key=lambda problem: problem.position)


def is_original(value: Yaml) -> bool:
    """Return whether a parsed document is one score in the original's form, or declares its dialect."""
    if not isinstance(value, Mapping):
        return False
    return value.get("dialect") == DIALECT or ("scores" not in value and any(key in value for key in _SINGLE))


def translate(document: Document) -> Translation:
    """Translate a document for which `is_original` is true; nothing is validated here."""
    assert isinstance(document.value, dict)
    notes = Notes()
    if "scores" in document.value:
        return _translate_card(document, document.value, notes)
    score, moves = _translate_score({k: v for k, v in document.value.items() if k != "dialect"}, notes)
    name = str(score.get("name") or "Scorecard")
    card: Yaml = {"name": name, "key": create_key(name), "scores": [score]}
    moved = _move_positions(document, card, [(("scores", 0), ()), *_prefix_moves(("scores", 0), moves)])
    return Translation(document, moved, tuple(notes.listed))


def _translate_card(document: Document, value: dict[str, Yaml], notes: Notes) -> Translation:
    card: dict[str, Yaml] = {key: member for key, member in value.items() if key not in ("dialect", "scores")}
    _rename(card, notes)
    if "key" not in card and isinstance(name := card.get("name"), str):
        card = {"name": name, "key": create_key(name), **card}
    drop_unknown(card, CARD, notes)
    if "processors" in card:
        card["processors"] = translate_processors(card["processors"], notes.at("processors"))
    listed = value["scores"]
    moves: list[tuple[KeyPath, KeyPath]] = [((), ())]
    scores: list[Yaml] = []
    for place, member in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(member, dict):
            scores.append(member)
            continue
        score, inner = _translate_score(member, notes.at("scores", place))
        scores.append(score)
        moves += [(("scores", place, *new), ("scores", place, *old)) for new, old in inner]
    add_indirect(scores, notes.at("scores"))
    card["scores"] = scores if isinstance(listed, list) else listed
    return Translation(document, _move_positions(document, card, moves), tuple(notes.listed))


def _translate_score(value: Mapping[str, Yaml], notes: Notes) -> tuple[dict[str, Yaml], list[tuple[KeyPath, KeyPath]]]:
    """Return our score, and where its nodes were: (our path, the original's)."""
    score: dict[str, Yaml] = {key: value[key] for key in (*_HEAD, *value) if key in value}
    if "graph" in score:
        score.setdefault("class", "LangGraphScore")
    translate_class(score, notes)
    _rename(score, notes)
    classes = {} if score.get("class") == "KeywordClassifier" else {"classes": "each node has its own classes"}
    for key, why in {**_DROPPED, **classes}.items():
        if key in score:
            notes.add("dropped", why, key)
            del score[key]
    moves = _translate_parameters(score, notes.at("parameters"))
    for key in ("item", "data"):
        _translate_part(score, key, notes.at(key))
    if "processors" in score:  # of the score itself
        score["item"] = {"processors": translate_processors(score.pop("processors"), notes.at("processors"))}
        moves.append((("item", "processors"), ("processors",)))
    if "metadata" in json.dumps(value, default=str):  # the original's worker decodes what its API encoded
        item = score.get("item")
        score["item"] = {**(item if isinstance(item, dict) else {}), "decode_metadata": True}
    is_tactus = score.get("class") == "TactusScore"
    if is_tactus:
        translate_tactus(score, notes)
        moves.append((("graph", 0), ("code",)))
    drop_unknown(score, SCORES.get(str(score.get("class")), ()), notes)
    listed = score.get("graph")
    if is_tactus or not isinstance(listed, list):
        return score, moves
    score["graph"] = listed = [dict(node) if isinstance(node, Mapping) else node for node in listed]
    set_sampling(score, notes)
    graph = translate_graph(listed, notes.at("graph"))
    score["graph"] = list(graph.nodes)
    moves += [(("graph", ours), ("graph", theirs)) for ours, theirs in enumerate(graph.origins)]
    score["output"] = _translate_output(score.get("output"), graph, notes)
    if not score["output"]:
        del score["output"]
    return {key: score[key] for key in (*_HEAD, *_MODEL, *score) if key in score}, moves


def _translate_parameters(score: dict[str, Yaml], notes: Notes) -> list[tuple[KeyPath, KeyPath]]:
    """Move `parameters.validation` to `validation`, which is all that the original reads of `parameters`.

    Returns where it was. Its patterns distinguish case, as in the original.
    """
    moves: list[tuple[KeyPath, KeyPath]] = []
    listed = score.pop("parameters", None)
    for key, value in listed.items() if isinstance(listed, Mapping) else ():
        if key != "validation":
            notes.add("dropped", f"the original reads only `validation` of `parameters`, got {key!r}", key)
        elif key not in score:
            score[key] = value
            moves.append((("validation",), ("parameters", "validation")))
    rules = score.get("validation")
    if isinstance(rules, Mapping):
        score["validation"] = {part: _keep_case(rule) for part, rule in rules.items()}
    return moves


def _keep_case(rule: Yaml) -> Yaml:
    patterns = rule.get("patterns") if isinstance(rule, Mapping) else None
    if not isinstance(rule, Mapping) or not isinstance(patterns, list):
        return rule
    return {**rule, "patterns": [f"(?-i){each}" if isinstance(each, str) else each for each in patterns]}


def _translate_output(output: Yaml, graph: Graph, notes: Notes) -> dict[str, Yaml]:
    """Return the score's own `output`, which names fields of the whole graph."""
    if not isinstance(output, Mapping) or not output:
        if "value" in graph.aliases:  # a node sets it, by its class or its `output`
            for place in graph.set_value_of_early_ends():
                notes.add(
                    "changed",
                    "the value is the class where the graph ends here; the original's is `No`",
                    "graph",
                    place,
                )
            return {key: key for key in ("value", "explanation") if key in graph.aliases}
        if "classification" not in graph.aliases:
            return {}
        ends = graph.list_ends()
        always = "without `output` the value is the classification; the original's is always `No`"
        elsewhere = "where no edge sets `value`, it is the classification; the original's is `No`"
        if not all(ends):
            notes.add("changed", elsewhere if any(ends) else always, "graph")
        return {"value": "classification", "explanation": "explanation"}
    translated: dict[str, Yaml] = {}
    for alias, source in output.items():
        if source == "value" and source not in graph.aliases and "classification" in graph.aliases:
            translated[alias] = "classification"
        elif isinstance(source, str) and source in STATE - graph.readable:
            notes.add("dropped", f"no node sets the field {source!r}, which is empty in the original", "output", alias)
        else:
            translated[alias] = source
            if isinstance(source, str) and source in graph.passed - graph.aliases:
                message = (
                    f"an edge sets {source!r}: on a path without that edge the score fails; the original's is empty"
                )
                notes.add("changed", message, "output", alias)
    return translated


def _translate_part(score: dict[str, Yaml], key: str, notes: Notes) -> None:
    """Keep the processors of `item` and `data`; the rest names a source of texts, which the worker does not read."""
    part = score.get(key)
    if not isinstance(part, Mapping) or ("class" not in part and "processors" not in part):
        return
    if "class" in part and key == "item":
        advice = _SOURCES.get(str(part["class"]), _ITEM)
        notes.add("unsupported", f"{part['class']} reads a file that is attached to the item. next: {advice}", "class")
    elif "class" in part:
        message = "it selects items in the original's database; name a file of labelled texts to train"
        notes.add("dropped", message, "class")
    if "processors" in part:
        score[key] = {"processors": translate_processors(part["processors"], notes.at("processors"))}
    else:
        del score[key]


def _rename(value: dict[str, Yaml], notes: Notes) -> None:
    for key in _RECORDS:
        if key in value:
            notes.add("dropped", "it describes the version, and has no effect on a result", key)
            del value[key]
    for theirs, ours in _RENAMED.items():
        if theirs in value:
            value[ours] = value.pop(theirs)
            notes.add("renamed", f"`{theirs}` is `{ours}`", theirs)
    for key in ("id", "externalId"):
        if isinstance(value.get(key), int) and not isinstance(value[key], bool):
            value[key] = str(value[key])
    if isinstance(name := value.get("key"), str) and not re.fullmatch(r"[a-z0-9_-]+", name):
        value["key"] = create_key(name, "_-")
        notes.add("renamed", f"the key is {value['key']!r}", "key")


def create_key(name: str, kept: str = "") -> str:
    """Return a key of ASCII letters, digits, `-` and `kept`, with a digest if letters of other scripts are left out."""
    plain = normalize("NFKD", name.casefold())
    key = re.sub(rf"[^a-z0-9{kept}]+", "-", re.sub(r"[\u0300-\u036f]", "", plain)).strip("-")
    is_whole = key and all(sign.isascii() for sign in plain if sign.isalnum())
    return key if is_whole else f"{key or 'scorecard'}-{hash_value(plain)[:8]}"


def _prefix_moves(prefix: KeyPath, moves: list[tuple[KeyPath, KeyPath]]) -> list[tuple[KeyPath, KeyPath]]:
    return [((*prefix, *new), old) for new, old in moves]


def _move_positions(document: Document, value: Yaml, moves: list[tuple[KeyPath, KeyPath]]) -> Document:
    """Return the document with a new value, whose parts have the positions that they came from.

    `moves` are pairs (new prefix, old prefix); a longer one counts where several apply.
    """

    def renew(table: dict[KeyPath, T]) -> dict[KeyPath, T]:
        renewed: dict[KeyPath, T] = {}
        for new, old in sorted(moves, key=lambda move: len(move[0])):
            renewed |= {(*new, *path[len(old) :]): place for path, place in table.items() if path[: len(old)] == old}
        return renewed

    positions, keys, scalars = renew(document.positions), renew(document.keys), renew(document.scalars)
    return replace(document, value=value, positions=positions, keys=keys, scalars=scalars)
