"""Replies that the original's nodes read, and what ours read of them after the translation."""

import io
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import plexus
from plexus.configuration.graph import Classifier, LangGraphScore, NumericClassifier
from plexus.graph import replies
from plexus.graph.reply import Reply
from plexus.passages import align

DATA = YAML(typ="safe").load(Path(__file__).with_name("original_parses.yaml"))
CASES: list[dict[str, Any]] = DATA["cases"]
EVERYDAY: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load(Path(__file__).with_name("everyday_replies.yaml"))
KEYS = {"classes": "valid_classes", "parse_from_start": "parse_from_start"}
KEYS |= {"numeric_min": "numeric_min", "numeric_max": "numeric_max"}


def read(case: dict[str, Any]) -> str | None:
    """Return what the node reads of the reply after its scorecard was translated; None if it asks again."""
    node = {"name": "n", "class": case["node"], "user_message": "{{text}}"}
    node |= {KEYS[key]: value for key, value in case.items() if key in KEYS}
    field = {"Extractor": "extracted_text", "NumericClassifier": "value"}.get(case["node"], "classification")
    written = io.StringIO()
    score = {"name": "S", "model_provider": "ChatOpenAI", "model_name": "gpt-4o-mini", "graph": [node]}
    YAML().dump({**score, "output": {"value": field}}, written)
    configuration = plexus.load(written.getvalue()).scores[0].configuration
    assert isinstance(configuration, LangGraphScore)
    translated, reply = configuration.graph[0], Reply(case["reply"])
    if isinstance(translated, NumericClassifier):
        number = replies.read_number(reply, translated)
        return None if number is None else format(number, "f")
    if isinstance(translated, Classifier):
        answer = replies.read_text(reply, translated)
        return None if answer is None else answer.label
    passage = align(DATA["text"], reply.quotation)
    return None if passage is None else passage.text


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['node']} {case['reply'][:40]}")
def test_a_reply_is_read_as_by_the_original_or_the_difference_is_argued(case: dict[str, Any]) -> None:
    """The value is the original's; an argued difference has our value and its reason."""
    assert read(case) == case.get("ours", case["value"])
    assert ("ours" in case) == bool(case.get("argued"))


def test_ninety_eight_of_a_hundred_replies_are_read_as_by_the_original() -> None:
    """At most two of a hundred cases are argued, and every kind of node that parses a reply has cases."""
    argued = [case for case in CASES if "argued" in case]
    assert len(argued) <= 0.02 * len(CASES)
    kinds = {"Classifier", "YesOrNoClassifier", "MultiClassClassifier", "NumericClassifier", "Extractor"}
    assert {case["node"] for case in CASES} == kinds


@pytest.mark.parametrize(
    "case", [case for listed in EVERYDAY.values() for case in listed], ids=lambda case: case["reply"][:40]
)
def test_an_everyday_reply_is_read_as_by_the_original_or_asked_for_again(case: dict[str, Any]) -> None:
    """No reply is read as another class than the original reads."""
    expected = case.get("ours", case["value"])
    assert read({"node": "Classifier", **case}) == (None if expected == "again" else expected)
    assert expected in ("again", case["value"]) or case["value"] is None


def test_the_page_has_the_figures_of_the_everyday_replies() -> None:
    """How many are read alike, by language, is on the page of the migration."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "migration.md").read_text(encoding="utf-8")
    for language, cases in EVERYDAY.items():
        alike = sum("ours" not in case for case in cases)
        assert f"{alike} of {len(cases)} {language.capitalize()}" in page
