"""Nodes that ask no model, numbers in replies, and scores made of scores."""

import json
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

import plexus
from plexus.context import Context
from plexus.exceptions import ScoringFailed
from plexus.graph import structured
from plexus.graph.nodes.classify import split_confidence
from plexus.graph.nodes.numeric import parse_number
from plexus.graph.passages import find_verbatim
from plexus.scorecard import Scorecard

HEAD = """
name: C
key: c
scores:
  - name: S
    class: LangGraphScore
    output: {value: VALUE}
    graph:"""


def graph(nodes: str, value: str = "value") -> Scorecard:
    """A scorecard of one graph without a model."""
    return plexus.load(HEAD.replace("VALUE", value) + nodes)


def scored(card: Scorecard, text: str, name: str = "S") -> plexus.Result:
    """The result of one text."""
    return plexus.score(card, name, plexus.Item(text), context=Context())


FUZZY = """
      - name: find
        class: FuzzyMatchClassifier
        targets: [{phrase: money back, threshold: 0.8}]
"""
CUT = """
      - name: find
        class: FuzzyMatchExtractor
        targets: [{phrase: thank you for calling}]
        output: {greeting: value}
      - name: cut
        class: BeforeAfterSlicer
        quotation: greeting
"""


@pytest.mark.parametrize(("text", "value"), [("I want my mony back!", "Yes"), ("All is well.", "No")])
def test_a_misspelt_phrase_is_found(text: str, value: str) -> None:
    """A phrase is found where the text is like it enough, and nowhere else."""
    assert scored(graph(FUZZY), text).value == value


@pytest.mark.parametrize(("part", "value"), [("before", "Hello."), ("after", "What can I do?")])
def test_a_text_is_cut_at_what_was_found(part: str, value: str) -> None:
    """A slicer gives what stands before and after the passage that an earlier node found."""
    assert scored(graph(CUT, part), "Hello. Thank you for caling. What can I do?").value.strip(" .") == value.strip(
        " ."
    )


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("The answer is 4.", "4"),
        ("4 out of 5", "4"),
        ("4/5", "4"),
        ("I would say −2.5", "-2.5"),
        ("1,200 dollars", "1200"),
        ("between 3 and 5", None),
        ("none", None),
        ("8 (out of 10)", "8"),
        ("4 of 5", "4"),
        ("4 of the 5", "4"),
        ("0.75 or 1,234,567.5", "1234567.5"),
        ("3,5", None),
        ("4,5/5", None),
        ("0,750", None),
        ("1, 2 and 3", "3"),
    ],
)
def test_a_number_is_read_from_a_reply(reply: str, number: str | None) -> None:
    """The last number counts; a scale is none, and a range or a comma that may be a decimal one names none."""
    assert parse_number(reply) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("last", "explanation"),
    [
        ("name: last, class: LogicalNode, set: {one: '1'}", None),
        ("name: last, class: ContextExtractor, quotation: first.value", None),
        ("name: last, class: FuzzyMatchExtractor, targets: [{phrase: Hello.}]", "“Hello.” is 100% like “Hello.”."),
    ],
)
def test_without_an_output_a_graph_ends_with_what_its_last_node_found(last: str, explanation: str | None) -> None:
    """Its value, and its explanation where it has one: never another node's, and never the word itself."""
    head = HEAD.replace("    output: {value: VALUE}\n", "")
    first = "\n      - {name: first, class: FuzzyMatchExtractor, targets: [{phrase: hello}]}"
    assert scored(plexus.load(f"{head}{first}\n      - {{{last}}}"), "Hello.").explanation == explanation


def test_a_word_is_no_field_where_no_node_has_it() -> None:
    """A graph that explains nothing has no explanation, and not the word `explanation`."""
    head = HEAD.replace("    output: {value: VALUE}\n", "")
    found = scored(plexus.load(f"{head}\n      - {{name: one, class: LogicalNode, set: {{two: '2'}}}}"), "Hello.")
    assert (found.value, found.explanation) == ("2", None)


@pytest.mark.parametrize(
    ("quoted", "found"),
    [("art", None), ("he", None), ("part", (4, 8)), ("THE  part", (0, 8)), ("a a", (21, 24)), ("款", (26, 27))],
)
def test_a_passage_is_whole_words(quoted: str, found: tuple[int, int] | None) -> None:
    """What stands within a word is no passage; scripts without spaces have words anywhere."""
    passage = find_verbatim("The part is read, ba a a 退款", quoted)
    assert (None if passage is None else (passage.start, passage.end)) == found


def test_an_answer_without_a_class_is_none() -> None:
    """A missing class is not the class `None`, and a truth is not the class `True`."""
    node = SimpleNamespace(valid_classes=["None", "True", "2"], confidence=False)
    for found in ({}, {"classification": None}, {"classification": True}):
        assert structured.answer(found, node) is None
    answer = structured.answer({"classification": 2}, node)
    assert answer is not None
    assert answer.label == "2"


COMPOSITE = """
name: C
key: c
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [refund]
  - name: Angry
    class: KeywordClassifier
    keywords: [angry]
  - name: Urgent
    class: CompositeScore
    depends_on: [Refund, Angry]
    expression: "'High' if results['Refund'].value == 'Yes' and results['Angry'].value == 'Yes' else 'Low'"
    values: [High, Low]
"""


@pytest.mark.parametrize(("text", "value"), [("angry about my refund", "High"), ("my refund", "Low")])
def test_a_composite_follows_from_other_scores(text: str, value: str) -> None:
    """An expression over the values of its dependencies gives the value."""
    assert scored(plexus.load(COMPOSITE), text, "Urgent").value == value


def test_a_composite_gives_none_but_its_values() -> None:
    """What the expression gives beside the declared values is a failure, never a result."""
    card = plexus.load(COMPOSITE.replace("values: [High, Low]", "values: [High, Medium]"))
    with pytest.raises(ScoringFailed, match=r"gave none of its values \(High, Medium\)"):
        scored(card, "my refund", "Urgent")


@pytest.mark.parametrize("expression", ["float('nan')", "1e308 * 10"])
def test_what_is_no_number_is_no_value(expression: str) -> None:
    """An expression that ends in infinity, or in nothing that can be counted, fails."""
    with pytest.raises(ScoringFailed, match="gave no value"):
        scored(graph(f'\n      - {{name: n, class: LogicalClassifier, expression: "{expression}"}}'), "x")


@pytest.mark.parametrize("expression", ["7", "float('nan')", "'high'", "True"])
def test_a_confidence_lies_between_0_and_1(expression: str) -> None:
    """An alias `confidence` that holds anything else fails the score."""
    node = f'\n      - {{name: n, class: LogicalNode, set: {{v: "\'x\'", c: "{expression}"}}}}'
    with pytest.raises(ScoringFailed, match="confidence"):
        scored(graph(node, "v, confidence: c"), "x")


def test_a_trace_is_json_whatever_a_node_computes() -> None:
    """Results, infinities and what only Parquet knows stand in a trace as JSON can say them."""
    card = plexus.load(
        "name: C\nkey: c\nscores:\n"
        "  - {name: K, class: KeywordClassifier, keywords: [x]}\n"
        "  - {name: S, class: LangGraphScore, depends_on: [K], output: {value: v},"
        " graph: [{name: n, class: LogicalNode,"
        " set: {v: \"'x'\", all: \"[results['K'], metadata['day'], 1e308 * 10]\"}}]}\n"
    )
    result = plexus.score(card, "S", plexus.Item("x", {"day": date(2026, 1, 2)}))
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["trace"]["nodes"]["n"]["value"] == [
        "Yes",
        "2026-01-02",
        "inf",
    ]


@pytest.mark.parametrize("ending", ["0.9", "0.9.", "0.9**", "90%", "90 %."])
def test_a_confidence_is_read_through_the_marks_after_it(ending: str) -> None:
    """A full stop or the stars of bold type do not cost another call."""
    assert split_confidence(f"Yes\nConfidence: {ending}") == (0.9, "Yes\n")


def test_a_line_of_nodes_may_be_long_and_a_circle_is_told() -> None:
    """Only what goes round is stopped, and said to be."""
    node = "\n      - {name: n%d, class: LogicalNode, set: {v: \"'x'\"}}"
    assert scored(graph("".join(node % n for n in range(250)), "v"), "x").value == "x"
    circle = "\n      - {name: n, class: LogicalClassifier, expression: \"'a'\", conditions: [{value: b, node: END}], "
    with pytest.raises(ScoringFailed, match="its nodes lead round in a circle"):
        scored(graph(circle + "edge: {node: n}}"), "x")
