"""Problems that others hide: what the checks find in a score once its invalid parts are replaced by valid ones.

A score whose shape is invalid cannot be checked further, so that its author would learn of a wrong template only after
correcting a misspelt key. The replacements exist for this purpose only: they are never shown or written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from plexus.configuration.validation import validate_score
from plexus.problems import Finding, KeyPath

if TYPE_CHECKING:
    from plexus.configuration.card import AnyScore

_ROUNDS = 6
_GUESS = re.compile(r"did you mean '(\w+)'\?")
#: A required key → a value that is valid for it, and of which no check finds anything.
_STAND_INS: dict[str, object] = {
    "name": "unnamed",
    "valid_classes": ["Yes", "No"],
    "expression": "'Yes'",
    "set": {"unnamed": "'Yes'"},
    "system_message": "{{ text }}",
    "user_message": "{{ text }}",
    "keywords": ["x"],
}
#: Keys that define the names which templates, expressions and edges of other nodes use.
_DEFINING = {"class", "conditions", "depends_on", "edge", "name", "output", "set"}
#: Rules about one part of a score by itself: they hold whatever the other parts define.
_LOCAL = {"colliding-classes", "empty-message", "no-model", "pattern", "provider", "refused-parameter", "schema"}
_LOCAL |= {"source", "strange-provider", "long-prompt", "unknown-model", "equal-values", "literal-pattern"}
#: Rules about the paths through a graph: they do not hold once an edge is removed.
_OF_PATHS = {"endless", "impossible-class", "never-reached", "no-value", "sometimes-undefined", "unknown-field"}
_OF_PATHS |= {"unreachable-condition", "unreachable-node"}

Check = Callable[[Mapping[int, "AnyScore"]], list[Finding]]


def find_hidden(
    value: object, models: Mapping[int, AnyScore], doubtful: Collection[int], check: Check
) -> list[Finding]:
    """Return the problems that other problems hide, without those that only follow from others.

    `value` is the parsed YAML, `models` are its scores of valid shape by index, and `check` are the checks of these.
    In the `doubtful` scores, names may be undefined because a part without a counterpart defines them: rules about
    names are left out, as where a repair removes one.
    """
    listed = value.get("scores") if isinstance(value, dict) else None
    problems: list[Finding] = []
    for index, score in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(score, dict):
            continue
        repair = _Repair(score, ("scores", index))
        if index in doubtful:
            repair.is_sure = False
        model = repair.validate()
        problems += repair.hidden
        if model is None:
            continue
        # With the other scores, because the checks of dependencies compare scores.
        findings = [each for each in check({**models, index: model}) if each.path[:2] == ("scores", index)]
        kept = _LOCAL | ({"graph"} if repair.has_node_names else set())
        problems += [each for each in findings if repair.is_sure or each.rule in kept]
        if repair.is_sure and repair.remove_edges(findings) and (model := repair.validate()) is not None:
            again = [each for each in check({**models, index: model}) if each.path[:2] == ("scores", index)]
            problems += [each for each in again if each.rule not in _OF_PATHS]
    return problems


class _Repair:
    """A copy of one score in which valid values replace the invalid ones.

    `hidden` are the problems of its shape that others hid. `is_sure` is whether the names that the copy defines are
    those that the score's author meant, and `has_node_names` whether at least those of its nodes are.
    """

    def __init__(self, score: dict[str, Any], path: KeyPath) -> None:
        self.score, self.path = deepcopy(score), path
        self.is_sure = self.has_node_names = True
        self.hidden: list[Finding] = []
        self._changed: list[KeyPath] = []

    def validate(self) -> AnyScore | None:
        """Repair the copy, and return its model; None if there is no way to say what would be valid."""
        for attempt in range(_ROUNDS):
            model, findings = validate_score(self.score, self.path)
            if model is not None:
                return model
            if attempt:
                self.hidden += [each for each in findings if not self._is_changed(each.path[len(self.path) :])]
            # Unknown keys first: their values may be those of missing ones.
            for finding in sorted(findings, key=lambda each: not each.on_key):
                inner = finding.path[len(self.path) :]
                if not inner:
                    return None
                self._changed.append(inner)
                self.has_node_names &= inner[-1] != "name"
                self.is_sure &= self._replace(inner, finding)
        return None

    def remove_edges(self, findings: Collection[Finding]) -> bool:
        """Remove the edges to nodes that do not exist; return whether there are any."""
        targets = [finding.path for finding in findings if finding.rule == "graph" and finding.path[-1] == "node"]
        for path in sorted(targets, key=str, reverse=True):  # the last condition first
            *parents, last = path[len(self.path) : -1]
            del self._find(parents)[last]
        return bool(targets)

    def _is_changed(self, path: KeyPath) -> bool:
        return any(path[: len(changed)] == changed for changed in self._changed if not _is_node(changed))

    def _find(self, path: Iterable[str | int]) -> Any:
        part: Any = self.score
        for key in path:
            part = part[key]
        return part

    def _replace(self, path: KeyPath, finding: Finding) -> bool:
        """Replace or remove the value at `path`; return whether this leaves the names that the score defines."""
        *parents, last = path
        try:
            parent = self._find(parents)
        except (KeyError, IndexError, TypeError):
            return False  # an earlier repair of this round has replaced the part
        keeps_names = not _DEFINING & {part for part in path if isinstance(part, str)}
        if isinstance(parent, list) and isinstance(last, int) and last < len(parent):
            return self._replace_element(path, parent, last, finding.message) and keeps_names
        if not isinstance(parent, dict) or not isinstance(last, str):
            return False
        if finding.on_key:
            value, guess = parent.pop(last, None), _GUESS.search(finding.message)
            if guess is not None and guess[1] not in parent:
                parent[guess[1]] = value
                return True
            return keeps_names and not isinstance(value, (dict, list))
        if last in _STAND_INS:
            parent[last] = deepcopy(_STAND_INS[last])
        elif last in parent:
            del parent[last]
        elif len(path) > 2 and _is_node(path[:2]) and isinstance(node := path[1], int):
            return self._replace_element(path[:2], self.score["graph"], node, "")
        else:
            parent[last] = "x"
        return keeps_names

    def _replace_element(self, path: KeyPath, listed: list[Any], place: int, message: str) -> bool:
        """Replace an element of a list; return whether it still defines its names."""
        element = listed[place]
        if not _is_node(path):
            listed[place] = str(element) if isinstance(element, (int, float)) else "x"
            return True
        if "user_message" in message and isinstance(element, dict):
            element["user_message"] = "x"
            return True
        edges = (
            {key: element[key] for key in ("name", "conditions", "edge") if key in element}
            if isinstance(element, dict)
            else {}
        )
        listed[place] = {"name": f"unnamed_{place}", **edges, "class": "LogicalNode", "set": {"unnamed": "'Yes'"}}
        return False


def _is_node(path: KeyPath) -> bool:
    return path[:1] == ("graph",) and len(path) == 2


def list_doubtful(paths: Iterable[KeyPath]) -> set[int]:
    """Return the indexes of the scores in which these paths are; a document of one score has no index in its paths."""
    indexes = [path[1] if path[:1] == ("scores",) and len(path) > 1 else 0 for path in paths]
    return {index for index in indexes if isinstance(index, int)}
