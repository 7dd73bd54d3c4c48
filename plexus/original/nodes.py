"""The original's nodes: their keys, and the state fields that they set for everything after them.

The original has one set of fields for the whole graph, which every node overwrites: `{{ classification }}` is the
latest one. Here a node's fields are its own, so each translated node also sets the original's names as aliases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from plexus.document import Yaml
from plexus.original import python_code
from plexus.original.fields import FIELDS, LOST_FIELDS, RETRIES, STATE, list_fields
from plexus.original.fuzzy import translate_targets
from plexus.original.graphs import Graph, collect_output_words, create_slugs
from plexus.original.inputs import find_jumps, fold_lines, read_inputs, replace_inputs
from plexus.original.notes import Notes
from plexus.original.python_names import Names, UnsupportedCode
from plexus.original.unknown_keys import NODES, drop_unknown
from plexus.text import fold

_WORDS = "a class is matched by whole words, with case and punctuation folded"
_ALIGNED = "a quotation is aligned with the text by one cut-off, as docs/reference/scorecards.md says"
_DROPPED = {
    "batch": "jobs are scored one by one; there is no provider's batch",
    "fuzzy_match": _WORDS,
    "base_model_name": "the model's own name decides its price",
    "fuzzy_match_score_cutoff": _ALIGNED,
    "use_exact_matching": _ALIGNED,
    "logprobs": "log probabilities are not asked for",
    "top_logprobs": "log probabilities are not asked for",
    **dict.fromkeys(("prompts", "completion_template"), "not used by the original's current nodes"),
}
_EXPLAINING = ("explanation_message", "explanation_model")
_QUOTING = ("BeforeAfterSlicer", "ContextExtractor", "Extractor")
_ASKING = ("system_message", "user_message")


def translate_graph(listed: Sequence[Yaml], notes: Notes) -> Graph:
    """Translate all nodes in their order."""
    listed = _separate_names(listed, notes)
    names = [node.get("name") if isinstance(node, Mapping) else None for node in listed]
    slugs = create_slugs([name for name in names if isinstance(name, str)], collect_output_words(listed))
    graph = Graph(slugs, frozenset(re.findall(r"\w+", json.dumps(listed, default=str))), find_jumps(listed))
    for place, node in enumerate(listed):
        following = next((name for name in names[place + 1 :] if isinstance(name, str)), "END")
        if isinstance(node, Mapping):
            added = _Node(dict(node), graph, notes.at(place), following).translate()
            graph.nodes += added
            graph.origins += [place] * len(added)
    graph.lead_to_first()
    graph.drop_unreachable(notes)
    return graph


def _separate_names(listed: Sequence[Yaml], notes: Notes) -> list[Yaml]:
    """Refuse a name that several nodes have, as the original does; the later ones get others, to be checked too."""
    known: set[str] = set()
    separate: list[Yaml] = []
    for place, node in enumerate(listed):
        if isinstance(node, Mapping) and isinstance(name := node.get("name"), str):
            if name in known:
                notes.add("unsupported", f"two nodes have the name {name!r}. next: rename one of them", place, "name")
                node = {**node, "name": f"node_{place}"}
            known.add(name)
        separate.append(dict(node) if isinstance(node, Mapping) else node)
    return separate


class _Node:
    """The translation of one node; our nodes are in `before` and, as the last one, in `ours`."""

    def __init__(self, node: dict[str, Yaml], graph: Graph, notes: Notes, following: str) -> None:
        self.node, self.graph, self.notes, self.following = node, graph, notes, following
        self.ours: dict[str, Yaml] = {}
        self.before: list[dict[str, Yaml]] = []

    def translate(self) -> list[dict[str, Yaml]]:
        """Return our nodes in order. A class without a counterpart is noted. Call it once."""
        original_name, kind = self.node.pop("name", None), self.node.pop("class", None)
        self.ours = {"name": self.graph.name(original_name), "class": kind}
        if self.ours["name"] != original_name and isinstance(original_name, str):
            self.notes.add("renamed", f"the node {original_name!r} is {self.ours['name']!r}", "name")
        self._drop(kind)
        if not isinstance(kind, str) or (kind not in FIELDS and kind != "YesOrNoClassifier"):
            what = f"the node class {kind!r} has no counterpart"
            problem = "the required key 'class' is missing" if kind is None else what
            known = "Classifier, Extractor, Generator, LogicalClassifier or FuzzyMatchClassifier"
            self.notes.add("unsupported", f"{problem}. next: use {known}", "class")
            # A node in its place, so that edges lead to it, and the problems of the other nodes are found too.
            self.ours |= {"class": "LogicalNode", "set": {"unsupported": "''"}}
            self._translate_edges({})
            return [self.ours]
        fold_lines(self.node, self.notes)
        self.graph.inputs |= read_inputs(self.node, self.graph.readable, self.notes, has_jumps=self.graph.has_jumps)
        replace_inputs(self.node, self.graph.inputs)
        self._read_class(str(kind))
        fields = list_fields(str(self.ours["class"]), self.node, self.graph.words)
        own = self._translate_output(self.node.pop("output", None), fields, self.notes)
        self._translate_edges(fields)
        aliases = {**dict(fields.items()), **own}
        if aliases:
            self.ours["output"] = aliases
        self.graph.aliases |= set(aliases)
        drop_unknown(self.node, NODES[str(self.ours["class"])], self.notes)
        self.ours.update(self.node)  # what is left has the same name here, or is reported by the validation
        return [*self.before, self.ours]

    def _drop_keys(self, reasons: Mapping[str, str]) -> None:
        for key, why in reasons.items():
            if key in self.node:
                self.notes.add("dropped", why, key)
                del self.node[key]

    def _drop(self, kind: Yaml) -> None:
        self._drop_keys(_DROPPED)
        # Of the classes that look for a quotation, it is the least similarity of that.
        self._drop_keys({"fuzzy_match_threshold": _ALIGNED if kind in _QUOTING else _WORDS})
        if self.node.pop("confidence", None) or self.node.pop("enable_confidence", None):
            message = (
                "no confidence is computed: the original reads log probabilities; `confidence: true` asks the model"
            )
            self.notes.add("changed", message, "confidence")
        if kind == "Classifier":
            self._drop_keys(dict.fromkeys(_EXPLAINING, "the original reads it in other classes only"))
        elif kind not in ("YesOrNoClassifier", "MultiClassClassifier") or "explanation_message" not in self.node:
            self._drop_keys(dict.fromkeys(_EXPLAINING, "the node has no second request"))

    def _read_class(self, kind: str) -> None:
        if kind in RETRIES:
            self.node.setdefault("maximum_retry_count", RETRIES[kind])
        if kind == "YesOrNoClassifier":
            self.ours |= {"class": "Classifier", "valid_classes": ["yes", "no"]}
            self.notes.add("renamed", "YesOrNoClassifier is a Classifier of yes and no, in small letters", "class")
        elif kind == "NumericClassifier":
            self._read_bounds()
        elif kind == "MultiClassClassifier" and "completion" in self.graph.set_before:
            message = "the model is asked; the original reads the class of the last reply before it, and does not ask"
            self.notes.add("changed", message, "class")
        elif kind == "Extractor":
            self._read_trust()
        elif kind in _QUOTING[:2]:
            self._ask_first(kind)
        elif kind in ("FuzzyMatchClassifier", "FuzzyMatchExtractor"):
            self.ours |= translate_targets(self.node, self.notes)
            self._read_source()
        elif kind in ("LogicalClassifier", "LogicalNode"):
            self._read_code(kind)

    def _read_source(self) -> None:
        """Make a node that searches the text search the field that stands for it."""
        text = self.graph.inputs.get("text", "text")
        source = self.ours.get("source", "text")
        if isinstance(source, list):
            self.ours["source"] = [text if path == "text" else path for path in source]
        elif text != "text":
            self.ours["source"] = text

    def _read_trust(self) -> None:
        if self.node.pop("trust_model_output", False):
            self.ours["verbatim"] = False
            self.notes.add("renamed", "`trust_model_output: true` is `verbatim: false`", "trust_model_output")
        else:
            message = "a reply that is not in the text is asked for again, and fails at last; the original returns it"
            self.notes.add("changed", message, "class")

    def _read_bounds(self) -> None:
        message = "a reply without a number is asked for again, and fails at last; the original's value is empty then"
        self.notes.add("changed", message, "class")
        for theirs, ours in (("numeric_min", "minimum"), ("numeric_max", "maximum")):
            if (bound := self.node.pop(theirs, None)) is not None:
                try:
                    self.ours[ours] = float(str(bound))
                except ValueError:
                    self.notes.add("unsupported", f"expected a number, got {bound!r}", theirs)

    def _ask_first(self, kind: str) -> None:
        """Split a node that asks the model for a quotation into an Extractor and one that uses its passage."""
        if not any(key in self.node for key in _ASKING):
            self.ours["quotation"] = "extracted_text"
            return
        name = f"{self.ours['name']}_quotation"
        moved = {key: self.node.pop(key) for key in [*self.node] if key not in ("output", "conditions", "edge")}
        for key in ("context_before", "context_after", "use_sentence_boundaries"):
            if key in moved:
                self.notes.add(
                    "changed", "counts sentences, one before and one after; the original counts characters", key
                )
                del moved[key]
        self.before.append({"name": name, "class": "Extractor", **moved})
        self.ours["quotation"] = f"{name}.value"
        self._read_source()
        self.notes.add("renamed", f"{kind} asks the model in a node of its own, {name!r}", "class")
        if kind == "BeforeAfterSlicer":
            message = "`after` begins behind the quotation; the original's with its sentence, or is the whole text"
            self.notes.add("changed", message, "class")

    def _read_code(self, kind: str) -> None:
        code = self.node.pop("code", None)
        if not isinstance(code, str):
            return
        names = Names(self.graph.readable, self.graph.inputs)
        self._note_nodes(code)
        self.ours |= {"expression": "''"} if kind == "LogicalClassifier" else {"set": {"unsupported": "''"}}
        try:
            if kind == "LogicalClassifier":
                value, metadata, can_continue = python_code.read_classifier(code, names)
                if can_continue and "classification" not in self.graph.readable:
                    message = "the class is 'None' where the code returns None; the original's is empty, and continues"
                    self.notes.add("changed", message, "code")
                self.ours["expression"] = value
                self._set_metadata(metadata)
            else:
                mapping = self.node.pop("output_mapping", None)
                renamed = {str(k): str(v) for k, v in mapping.items()} if isinstance(mapping, Mapping) else {}
                function = str(self.node.pop("function_name", "execute"))
                expressions = python_code.read_node(code, function, renamed, names)
                self.ours["set"] = dict(expressions)
                self.graph.aliases |= set(expressions)
            self.notes.add("renamed", "the Python is an expression, which is evaluated without Python", "code")
        except UnsupportedCode as error:
            self.notes.add("unsupported", str(error), "code", line=error.line)
        except (RecursionError, MemoryError):
            self.notes.add("unsupported", "the code is too long a chain of conditions for one expression", "code")

    def _note_nodes(self, code: str) -> None:
        """Note an earlier node whose name the code reads: the original has no value under it, and neither has ours."""
        for name in (str(node["name"]) for node in self.graph.nodes):
            if name not in self.graph.readable and re.search(rf"""(?:get\(|\[)\s*['"]{re.escape(name)}['"]""", code):
                advice = f"give that node `output: {{{name}_class: classification}}`, and read the alias"
                message = f"{name!r} is read of the item's metadata, as in the original; for the node's class, {advice}"
                self.notes.add("changed", message, "code")

    def _set_metadata(self, metadata: Mapping[str, str]) -> None:
        """Set what a LogicalClassifier adds to the state beside its class: a node before it computes these values.

        The explanation, which is a template here, is one of them.
        """
        alias = f"{self.ours['name']}_explanation"
        values: dict[str, Yaml] = {alias if key == "explanation" else key: source for key, source in metadata.items()}
        if not values:
            return
        self.before.append({"name": f"{self.ours['name']}_explains", "class": "LogicalNode", "set": values})
        self.graph.aliases |= values.keys() - {alias}
        if alias in values:
            self.ours["explanation"] = f"{{{{ {alias} }}}}"

    def _translate_output(self, output: Yaml, fields: Mapping[str, str], notes: Notes) -> dict[str, Yaml]:
        """Return the aliases of an `output`; the original's fields become ours."""
        aliases: dict[str, Yaml] = {}
        for alias, source in output.items() if isinstance(output, Mapping) else ():
            if isinstance(source, str) and source in STATE - fields.keys() - self.graph.readable:
                notes.add(
                    "dropped", f"no node sets the field {source!r}, which is empty in the original", "output", alias
                )
            elif isinstance(source, str) and source in LOST_FIELDS.keys() - fields.keys() - self.graph.readable:
                message = f"the field {source!r} has no counterpart. next: {LOST_FIELDS[source]}"
                notes.add("unsupported", message, "output", alias)
            else:
                aliases[alias] = fields.get(source, source) if isinstance(source, str) else source
        return aliases

    def _translate_edges(self, fields: Mapping[str, str]) -> None:
        conditions = self.node.pop("conditions", None)
        if isinstance(conditions, list):
            self.ours["conditions"] = [
                self._translate_edge(condition, fields, self.notes.at("conditions", place))
                for place, condition in enumerate(conditions)
                if isinstance(condition, Mapping) and self._can_be_met(condition, place)
            ]
        edge = self.node.pop("edge", None)
        if isinstance(edge, Mapping):
            self.ours["edge"] = self._translate_edge(edge, fields, self.notes.at("edge"))

    def _can_be_met(self, condition: Mapping[str, Yaml], place: int) -> bool:
        """Return whether the node has the class that a condition compares; notes one that it has not."""
        classes = self.ours.get("valid_classes", self.node.get("valid_classes"))
        value = condition.get("value")
        if condition.get("state", "classification") != "classification" or not isinstance(classes, list):
            return True
        if not isinstance(value, str) or any(fold(str(name)) == fold(value) for name in classes):
            return True
        self.notes.add("dropped", f"it is never met: the node has no class {value!r}", "conditions", place)
        return False

    def _translate_edge(self, edge: Mapping[str, Yaml], fields: Mapping[str, str], notes: Notes) -> dict[str, Yaml]:
        translated: dict[str, Yaml] = dict(edge)
        if "node" not in edge:
            notes.add("renamed", f"without `node` the graph continues with {self.following!r}", "output")
        translated["node"] = self.graph.name(edge.get("node", self.following))
        if "output" in edge:
            output = self._translate_output(edge["output"], fields, notes)
            translated["output"] = output
            if translated["node"] != "END":
                self.graph.passed |= output.keys()
            if "value" in output and translated["node"] != "END":
                notes.add(
                    "changed", "the graph continues, and its end decides the value; the original keeps this", "output"
                )
        if isinstance(state := edge.get("state"), str):
            translated["state"] = fields.get(state, state)
            if state != "classification":
                message = f"{state!r} is compared, as is written; the original ignores it and compares the class"
                notes.add("changed", message, "state")
        return translated
