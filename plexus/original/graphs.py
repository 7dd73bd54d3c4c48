"""The original's graph under translation: our names of its nodes, its aliases, and its edges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import normalize

from plexus.document import Yaml
from plexus.original.notes import Notes


@dataclass
class Graph:
    """A graph under translation: our names of the original's nodes, and the aliases that nodes before set.

    `origins` has, for each of our nodes, the index of the original's; `words` are all words of the graph. `inputs` has
    the names that stand for other fields, by `input` of this node or of one before it. `passed` are the aliases that
    edges to other nodes set.
    """

    slugs: dict[str, str]
    words: frozenset[str] = frozenset()
    has_jumps: bool = False
    inputs: dict[str, str] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    nodes: list[dict[str, Yaml]] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)

    @property
    def readable(self) -> set[str]:
        """The names that a node may read: what nodes before it set, and the edges between them."""
        return self.aliases | self.passed

    @property
    def set_before(self) -> set[str]:
        """The fields that a reply of an earlier node left in the original's state."""
        return {"completion"} if any(node["class"] in ("Classifier", "Generator") for node in self.nodes) else set()

    def name(self, original: Yaml) -> Yaml:
        """Return our name of a node; END, and names that no node has, stay."""
        return self.slugs.get(original, original) if isinstance(original, str) else original

    def lead_to_first(self) -> None:
        """Lead each edge to a node that became several to the first of these."""
        firsts: dict[int, str] = {}
        entries = {
            str(node["name"]): firsts.setdefault(place, str(node["name"]))
            for node, place in zip(self.nodes, self.origins, strict=True)
        }
        for node in self.nodes:
            conditions = node.get("conditions")
            for edge in [*(conditions if isinstance(conditions, list) else []), node.get("edge")]:
                if isinstance(edge, dict) and isinstance(target := edge.get("node"), str):
                    edge["node"] = entries.get(target, target)

    def set_value_of_early_ends(self) -> list[int]:
        """Make the class the value of each edge to END in front of the nodes that set `value`.

        Returns the original's indexes of the nodes with such an edge.
        """
        changed: list[int] = []
        for node, place in zip(self.nodes, self.origins, strict=True):
            aliases = node.get("output")
            if not isinstance(aliases, Mapping) or "classification" not in aliases:
                continue
            if "value" in aliases:
                break
            conditions = node.get("conditions")
            for edge in [*(conditions if isinstance(conditions, list) else []), node.get("edge")]:
                if not isinstance(edge, dict) or edge.get("node") != "END":
                    continue
                output = edge.setdefault("output", {})
                if isinstance(output, dict) and "value" not in output:
                    output["value"] = "classification"
                    changed.append(place)
        return changed

    def list_ends(self) -> list[bool]:
        """Return, for each way to END, whether its edge sets `value`."""
        ends: list[bool] = []
        for node in self.nodes:
            conditions, edge = node.get("conditions"), node.get("edge")
            for way in [*(conditions if isinstance(conditions, list) else []), edge]:
                if isinstance(way, dict) and way.get("node") == "END":
                    output = way.get("output")
                    ends.append(isinstance(output, dict) and "value" in output)
        return ends if self.nodes and self.nodes[-1].get("edge") else [*ends, False]

    def drop_unreachable(self, notes: Notes) -> None:
        """Remove the nodes that no text can reach, which the original never runs."""
        order = [str(node["name"]) for node in self.nodes]
        followers: dict[str, set[str]] = {}
        for place, node in enumerate(self.nodes):
            conditions, edge = node.get("conditions"), node.get("edge")
            edges = [
                *(conditions if isinstance(conditions, list) else []),
                *([edge] if edge else order[place + 1 :][:1]),
            ]
            followers[order[place]] = {str(to["node"]) if isinstance(to, Mapping) else str(to) for to in edges}
        reached, ahead = set[str](), order[:1]
        while ahead:
            name = ahead.pop()
            if name not in reached:
                reached.add(name)
                ahead += followers.get(name, set())
        kept = [place for place, name in enumerate(order) if name in reached]
        for place in range(len(order)):
            if place not in kept:
                notes.add("dropped", f"no text reaches the node {order[place]!r}", self.origins[place])
        self.nodes = [self.nodes[place] for place in kept]
        self.origins = [self.origins[place] for place in kept]


def collect_output_words(listed: Sequence[Yaml]) -> set[str]:
    """Return the aliases and sources of every `output`: in the original, none of them refers to a node."""
    nodes = [node for node in listed if isinstance(node, Mapping)]
    conditions = [node.get("conditions") for node in nodes]
    edges = [edge for group in conditions if isinstance(group, list) for edge in group if isinstance(edge, Mapping)]
    edges += [edge for node in nodes if isinstance(edge := node.get("edge"), Mapping)]
    outputs = [output for part in [*nodes, *edges] if isinstance(output := part.get("output"), Mapping)]
    return {word for output in outputs for pair in output.items() for word in pair if isinstance(word, str)}


def create_slugs(names: Sequence[str], avoided: set[str]) -> dict[str, str]:
    """Return a name of letters, digits and underscores for each node, unique in the graph and none of `avoided`."""
    slugs: dict[str, str] = {}
    for name in dict.fromkeys(names):
        letters = re.sub("[\u0300-\u036f]", "", normalize("NFKD", name))
        plain = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in letters) or "node"
        if not name.isascii():  # else its letters of other scripts would be nothing but underscores
            plain = plain.strip("_") or "node"
        plain = plain if not plain[0].isdigit() else f"node_{plain}"
        unique, number = plain, 2
        while unique in slugs.values() or unique in avoided:
            unique, number = f"{plain}_{number}", number + 1
        slugs[name] = unique
    return slugs
