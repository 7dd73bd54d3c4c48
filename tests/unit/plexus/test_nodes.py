"""Nodes that call no model, and composite scores."""

import json
from datetime import date

import pytest

import plexus
from plexus.configuration.graph import Classifier
from plexus.context import Context
from plexus.exceptions import ScoringFailed
from plexus.graph import replies
from plexus.graph.replies import split_confidence
from plexus.passages import find_verbatim
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
    """Return a scorecard with one graph that calls no model."""
    return plexus.load(HEAD.replace("VALUE", value) + nodes)


def score_text(card: Scorecard, text: str, name: str = "S") -> plexus.Result:
    """Return the result of one text."""
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
    """A phrase matches text above its similarity threshold, and nothing else."""
    assert score_text(graph(FUZZY), text).value == value


@pytest.mark.parametrize(("part", "value"), [("before", "Hello."), ("after", "What can I do?")])
def test_a_text_is_cut_at_what_was_found(part: str, value: str) -> None:
    """A slicer returns the text before and after the passage that an earlier node found."""
    assert score_text(graph(CUT, part), "Hello. Thank you for caling. What can I do?").value.strip(" .") == value.strip(
        " ."
    )


@pytest.mark.parametrize(
    ("last", "explanation"),
    [
        ("name: last, class: LogicalNode, set: {one: '1'}", None),
        ("name: last, class: ContextExtractor, quotation: first.value", None),
        ("name: last, class: FuzzyMatchExtractor, targets: [{phrase: Hello.}]", "“Hello.” is 100% like “Hello.”."),
    ],
)
def test_without_an_output_a_graph_ends_with_what_its_last_node_found(last: str, explanation: str | None) -> None:
    """Without an `output`, the result has the last node's value and explanation, never another node's."""
    head = HEAD.replace("    output: {value: VALUE}\n", "")
    first = "\n      - {name: first, class: FuzzyMatchExtractor, targets: [{phrase: hello}]}"
    assert score_text(plexus.load(f"{head}{first}\n      - {{{last}}}"), "Hello.").explanation == explanation


def test_a_word_is_no_field_where_no_node_has_it() -> None:
    """A graph whose last node has no explanation gives none, and not the word `explanation`."""
    head = HEAD.replace("    output: {value: VALUE}\n", "")
    result = score_text(plexus.load(f"{head}\n      - {{name: one, class: LogicalNode, set: {{two: '2'}}}}"), "Hello.")
    assert (result.value, result.explanation) == ("2", None)


@pytest.mark.parametrize(
    ("quoted", "found"),
    [("art", None), ("he", None), ("part", (4, 8)), ("THE  part", (0, 8)), ("a a", (21, 24)), ("款", (26, 27))],
)
def test_a_passage_is_whole_words(quoted: str, found: tuple[int, int] | None) -> None:
    """Only whole words are a passage; scripts without spaces match anywhere."""
    passage = find_verbatim("The part is read, ba a a 退款", quoted)
    assert (None if passage is None else (passage.start, passage.end)) == found


def test_an_answer_without_a_class_is_none() -> None:
    """A missing or boolean class in a structured reply is unusable, even if a class has that name."""
    node = Classifier.model_validate(
        {"name": "n", "class": "Classifier", "user_message": "?", "valid_classes": ["None", "True", "2"]}
    )
    for result in ({}, {"classification": None}, {"classification": True}):
        assert replies.read_class(result, node) is None
    answer = replies.read_class({"classification": 2}, node)
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
    """A composite score evaluates its expression over its dependencies' values."""
    assert score_text(plexus.load(COMPOSITE), text, "Urgent").value == value


def test_a_composite_gives_declared_values_only() -> None:
    """A value that is not declared is a failure, never a result."""
    card = plexus.load(COMPOSITE.replace("values: [High, Low]", "values: [High, Medium]"))
    with pytest.raises(ScoringFailed, match=r"gave none of its values \(High, Medium\)"):
        score_text(card, "my refund", "Urgent")


@pytest.mark.parametrize("expression", ["float('nan')", "1e308 * 10"])
def test_infinity_and_nan_are_not_values(expression: str) -> None:
    """An expression that gives infinity or NaN fails."""
    with pytest.raises(ScoringFailed, match="gave no value"):
        score_text(graph(f'\n      - {{name: n, class: LogicalClassifier, expression: "{expression}"}}'), "x")


@pytest.mark.parametrize("expression", ["7", "float('nan')", "'high'", "True"])
def test_a_confidence_lies_between_0_and_1(expression: str) -> None:
    """An alias `confidence` outside 0 to 1 fails the score."""
    node = f'\n      - {{name: n, class: LogicalNode, set: {{v: "\'x\'", c: "{expression}"}}}}'
    with pytest.raises(ScoringFailed, match="confidence"):
        score_text(graph(node, "v, confidence: c"), "x")


def test_a_trace_is_json_whatever_a_node_computes() -> None:
    """Results, infinities and Parquet's types are converted to JSON in a trace."""
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
    """Punctuation or bold markup after a confidence does not cost another call."""
    assert split_confidence(f"Yes\nConfidence: {ending}") == (0.9, "Yes\n")


def test_a_long_chain_runs_and_an_endless_loop_stops() -> None:
    """A long chain of nodes runs; an endless loop is stopped with an error that says so."""
    node = "\n      - {name: n%d, class: LogicalNode, set: {v: \"'x'\"}}"
    assert score_text(graph("".join(node % n for n in range(250)), "v"), "x").value == "x"
    circle = "\n      - {name: n, class: LogicalClassifier, expression: \"'a'\", conditions: [{value: b, node: END}], "
    with pytest.raises(ScoringFailed, match="its nodes form an endless loop"):
        score_text(graph(circle + "edge: {node: n}}"), "x")
