"""`plexus lint` lists all problems of a scorecard at once: no correction brings a new one to light."""

import io
import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from plexus import lint
from plexus.exceptions import InvalidScorecard
from plexus.problems import Position, format_path
from plexus.scorecard import load

CARD = """\
name: C
key: c
scores:
  - name: Refund
    class: LangGraphScore
    model_provider: openai
    model_name: gpt-4o-mini
    graph:
      - name: topic
        class: Classifier
        valid_classes: [Refund, Other]
        user_message: "What is it? {{ text }}"
        output: {kind: classification}
      - name: reason
        class: Generator
        user_message: "Why {{ kind }}?"
    output: {value: topic.classification, explanation: reason.value}
"""
#: (old, new) texts; each is one problem, or several with one cause.
FAULTS = {
    "misspelt key": ("valid_classes: [Refund", "valid_clases: [Refund"),
    "unknown key": ("    graph:", "    flavour: sweet\n    graph:"),
    "duplicate key": ("    model_name: gpt-4o-mini\n", "    model_name: gpt-4o-mini\n" * 2),
    "foreign tag": ("    output: {value: topic", "    description: !secret x\n    output: {value: topic"),
    "wrong type": ("valid_classes: [Refund, Other]", "valid_classes: Refund"),
    "number for a text": ("[Refund, Other]", "[1, Other]"),
    "missing class": ("        class: Generator\n", ""),
    "missing message": ('        user_message: "Why {{ kind }}?"\n', ""),
    "missing provider": ("    model_provider: openai\n", ""),
    "template": ("Why {{ kind }}?", "Why {{ kind }?"),
    "undefined name": ("What is it? {{ text }}", "What is it? {{ txet }}"),
    "bad name": ("name: reason", "name: the reason"),
    "provider": ("model_provider: openai", "model_provider: opnai"),
    "target": (
        "        output: {kind: classification}",
        "        output: {kind: classification}\n        edge: {node: nowhere}",
    ),
}
#: Pairs of which one takes away what the other would be found by: a node's names, or its class.
EXCLUSIVE = [
    {"misspelt key", "wrong type"},
    {"misspelt key", "number for a text"},
    {"wrong type", "number for a text"},
    {"missing message", "template"},
    {"missing provider", "provider"},
    {"missing class", "template"},
    {"missing class", "missing message"},
    {"missing class", "missing provider"},
    {"missing class", "undefined name"},
    {"bad name", "target"},
    {"bad name", "undefined name"},
]


def find_errors(text: str) -> set[tuple[str, str]]:
    """Return the path and the rule of each error of a card."""
    return {(format_path(each.path), each.rule) for each in lint.lint(text) if each.severity == "error"}


def break_card(*names: str) -> str:
    """Return the card with faults."""
    text = CARD
    for name in names:
        old, new = FAULTS[name]
        assert old in text, name
        text = text.replace(old, new)
    return text


def test_the_card_has_no_problem() -> None:
    """The card that the faults are put into is valid."""
    assert find_errors(CARD) == set()


@pytest.mark.parametrize("first", sorted(FAULTS))
@pytest.mark.parametrize("second", sorted(FAULTS))
def test_two_faults_are_found_at_once(first: str, second: str) -> None:
    """Whatever the first fault, the second is reported beside it, and neither brings errors that are no faults."""
    if first >= second or {first, second} in EXCLUSIVE:
        return
    alone = find_errors(break_card(first)) | find_errors(break_card(second))
    together = find_errors(break_card(first, second))
    assert together == alone


READER, FOLDER = YAML(typ="safe"), Path(__file__).with_name("original_cards")
CARDS = [READER.load(path) for path in sorted(FOLDER.iterdir()) if path.name != "repeated-key.yaml"]
STRANGE: tuple[Any, ...] = (
    None,
    1,
    True,
    "x",
    "",
    [],
    {},
    [1],
    {"a": 1},
    ["x", None],
    {"class": "Classifier"},
    "END",
    3.5,
    [[]],
    [{}],
)


def list_paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every part of a card."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from list_paths(member, (*path, key))


def mutate(card: Any, source: random.Random) -> str:
    """Return a card as YAML, with one to four parts replaced by strange ones, removed or misspelt."""
    card = deepcopy(card)
    for _ in range(source.randint(1, 4)):
        if not (paths := list(list_paths(card))):
            break
        *parents, last = source.choice(paths)
        part = card
        for key in parents:
            part = part[key]
        change = source.choice(("replace", "remove", "misspell"))
        if change == "replace":
            part[last] = deepcopy(source.choice(STRANGE))
        elif change == "misspell" and isinstance(last, str):
            part[f"{last}z"] = part.pop(last)
        else:
            del part[last]
    written = io.StringIO()
    YAML().dump(card, written)
    return written.getvalue()


def list_refused(text: str) -> set[Position]:
    """Return the places for which a card does not load."""
    try:
        load(text)
    except InvalidScorecard as error:
        return {problem.position for problem in error.problems}
    return set()


@pytest.mark.parametrize("seed", range(8))
def test_no_card_is_too_strange_to_list_its_problems(seed: int) -> None:
    """Whatever is wrong, the linter raises nothing, and a card with an error is an invalid scorecard for the worker."""
    source = random.Random(seed)
    for _ in range(60):
        text = mutate(source.choice(CARDS), source)
        listed = {problem.position for problem in lint.lint(text) if problem.severity == "error"}
        assert list_refused(text) <= listed, text
