"""The values that a graph can give, read off its configuration."""

import textwrap
from typing import Any

import pytest

import plexus
from plexus.graph.node_outputs import list_classes, list_end_values

HEAD = """
name: Reviews
key: reviews
scores:
  - name: Topic
    class: LangGraphScore
    model_provider: replay
    model_name: none
    graph:
"""
AREA = "- {name: area, class: Classifier, valid_classes: [Delivery, Quality], user_message: Which area?"
SURE = "- {name: sure, class: YesOrNoClassifier, user_message: Sure?"
WORDS = "- {name: words, class: FuzzyMatchClassifier, targets: [{phrase: broken, value: Quality}], not_found: Other"


def configuration(*nodes: str, output: str = "") -> Any:
    """Return a LangGraphScore's validated configuration."""
    text = HEAD + textwrap.indent("\n".join(nodes), " " * 6) + (f"\n    output: {output}\n" if output else "\n")
    return plexus.load(text).find("Topic").configuration


@pytest.mark.parametrize(
    ("nodes", "output", "wanted"),
    [
        ([AREA + "}"], "", ("Delivery", "Quality")),
        ([SURE + "}"], "{value: classification}", ("Yes", "No")),
        ([SURE + "}", AREA + "}"], "{value: sure.classification}", ("Yes", "No")),
        ([AREA + ", output: {topic: classification}}", SURE + "}"], "{value: topic}", ("Delivery", "Quality")),
        ([SURE + ", conditions: [{value: 'No', node: END, output: {value: Nothing}}]}", AREA + "}"], "",
         ("Nothing", "Delivery", "Quality")),
        ([SURE + ", conditions: [{value: 'No', node: END}]}", AREA + "}"], "{value: classification}",
         ("Yes", "No", "Delivery", "Quality")),
        ([WORDS + "}"], "", ("Quality", "Other")),
    ],
)  # fmt: skip
def test_every_end_of_a_graph_adds_its_values(nodes: list[str], output: str, wanted: tuple[str, ...]) -> None:
    """Values are traced from each end through aliases and edges to the nodes' classes."""
    assert list_end_values(configuration(*nodes, output=output)) == wanted


@pytest.mark.parametrize(
    "node",
    [
        "- {name: any, class: Generator, user_message: Write.}",
        "- {name: any, class: NumericClassifier, user_message: How many?}",
        "- {name: any, class: LogicalClassifier, expression: text}",
        "- {name: any, class: LogicalNode, set: {value: text}}",
    ],
)
def test_a_graph_that_can_end_with_any_text_declares_nothing(node: str) -> None:
    """A graph that can end with a model's text, a number or an expression declares no values."""
    created = configuration(AREA + ", conditions: [{value: Quality, node: END}]}", node)
    assert list_classes(created.graph[1]) is None
    assert list_end_values(created) == ()


def test_the_text_itself_is_not_a_class() -> None:
    """An output that is the item's text, or an alias of it, can be anything."""
    assert list_end_values(configuration(AREA + ", output: {copy: text}}", output="{value: copy}")) == ()
