"""`explanation_message`: the reason for a class, asked for in a second request."""

import pytest

import plexus
from plexus import lint
from plexus.exceptions import InvalidScorecard

CARD = """
name: C
key: c
scores:
  - name: Tone
    class: LangGraphScore
    model_provider: openai
    model_name: gpt-4o-mini
    temperature: 0
    graph:
      - name: tone
        class: Classifier
        valid_classes: [Kind, Rude]
        user_message: "{{ text }}"
"""


def find_problems(keys: str) -> list[str]:
    """Return the messages about the scorecard with more keys of its node."""
    return [problem.message for problem in lint.lint(CARD + keys)]


def test_the_class_is_a_name_of_the_message() -> None:
    """The template may use `classification`, which no earlier node defines, and no other unknown name."""
    assert find_problems("        explanation_message: Why {{ classification }}?\n") == []
    (problem,) = find_problems("        explanation_message: Why {{ clasification }}?\n")
    assert problem.startswith("nothing defines 'clasification'")


def test_a_model_without_a_message_is_refused() -> None:
    """`explanation_model` alone would have no effect."""
    with pytest.raises(InvalidScorecard, match="no effect without `explanation_message`"):
        plexus.load(CARD + "        explanation_model: {model_name: gpt-4o}\n")


def test_the_parameters_of_the_explaining_model_are_checked() -> None:
    """A parameter that `explanation_model` writes and its model refuses is reported there."""
    keys = "        explanation_message: Why?\n        explanation_model: {model_name: gpt-5-mini, temperature: 0.5}\n"
    (problem,) = lint.lint(CARD + keys)
    assert problem.message == "openai:gpt-5-mini fails with this `temperature`: the model refuses it"
    assert problem.path == ("scores", 0, "graph", 0, "explanation_model", "temperature")


def test_a_parameter_that_the_explaining_model_inherits_is_checked() -> None:
    """The score's temperature is sent to `explanation_model` too, unless it is null there."""
    keys = "        explanation_message: Why?\n        explanation_model: {model_name: gpt-5-mini%s}\n"
    assert find_problems(keys % "") == ["openai:gpt-5-mini fails with this `temperature`: the model refuses it"]
    assert find_problems(keys % ", temperature: null") == []


def test_a_node_without_the_keys_has_its_old_hashes() -> None:
    """The hashes of a score without these keys are those that it had before they existed."""
    score = plexus.load(CARD).scores[0]
    assert score.configuration_hash == "9c1d853c31b9b7534a6b6f8552db2b28ce1668ecff1ee0d0151ff052ee2430af"
