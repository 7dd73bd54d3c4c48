"""Edges of a graph's nodes: conditions, the fields they compare, and outputs."""

import pytest

import plexus
from plexus.exceptions import ScoringFailed

HEAD = """
name: C
key: c
scores:
  - name: S
    class: LangGraphScore
    graph:
      - name: refund
        class: LogicalClassifier
        expression: "'refund' in text"
"""
NEXT = """
      - name: angry
        class: LogicalClassifier
        expression: "'Angry' if 'angry' in text else 'Calm'"
"""


def score_branches(text: str, ways: str, more: str = "", score: str = "") -> plexus.Result:
    """Return the graph's result; `ways` are keys of the first node, `more` are nodes after the second."""
    keys = "".join(f"        {line}\n" for line in ways.splitlines())
    return plexus.score(plexus.load(HEAD + keys + NEXT + more + score), "S", plexus.Item(text))


@pytest.mark.parametrize(("text", "value"), [("a refund, angry", "Stopped"), ("angry", "Angry"), ("fine", "Calm")])
def test_an_output_beside_conditions_lets_them_decide(text: str, value: str) -> None:
    """A node with `output` and `conditions` sets its aliases and follows the condition that is met."""
    ways = "output: {asked: value}\nconditions: [{value: 'Yes', node: END, output: {value: Stopped}}]"
    result = score_branches(text, ways, score="    output: {value: value, explanation: asked}\n")
    assert (result.value, result.explanation) == (value, "Yes" if "refund" in text else "No")


@pytest.mark.parametrize(
    ("state", "stops"), [("asked", "a refund"), ("refund.value", "Yes"), ("classification", "Yes")]
)
@pytest.mark.parametrize(("text", "value"), [("a refund", "Stopped"), ("angry", "Angry")])
def test_a_condition_compares_the_field_that_its_state_names(state: str, stops: str, text: str, value: str) -> None:
    """`state` may name an alias, a field of another node or a field of the node itself."""
    end = f"value: '{stops}', node: END, output: {{value: Stopped}}"
    ways = f"output: {{asked: text}}\nconditions: [{{state: {state}, {end}}}]"
    assert score_branches(text, ways).value == value


@pytest.mark.parametrize(("text", "value"), [("refund, angry", "Both"), ("refund", "Calm"), ("angry", "Angry")])
def test_a_later_node_can_branch_on_an_earlier_one(text: str, value: str) -> None:
    """A condition on another node's field does not compare the node's own value."""
    more = """
      - name: last
        class: LogicalClassifier
        expression: "angry.value"
        conditions:
          - {state: angry.value, value: Calm, node: END}
          - {state: refund.value, value: 'Yes', node: END, output: {value: Both}}
"""
    assert score_branches(text, "", more).value == value


def test_validation_holds_for_a_graph_too() -> None:
    """A graph's value outside the score's `validation` is a failure."""
    checked = "    validation: {value: {valid_classes: [Calm]}}\n"
    assert score_branches("fine", "", score=checked).value == "Calm"
    with pytest.raises(ScoringFailed, match="the value is not valid: expected one of Calm"):
        score_branches("angry", "", score=checked)
