"""Tactus scores of the original: one ClassifyProcedure is translated, and any other code is refused with its line."""

import pytest

import plexus
from plexus.configuration.graph import Classifier, LangGraphScore
from plexus.exceptions import InvalidScorecard
from plexus.scorecard import Scorecard


def load(code: str) -> Scorecard:
    """Load a score of the original with this code."""
    body = "\n".join(f"  {line}" for line in code.splitlines())
    return plexus.load(f"name: S\nclass: TactusScore\ncode: |-\n{body}\n")


def read_node(code: str) -> Classifier:
    """Return the only node of the translated score."""
    configuration = load(code).scores[0].configuration
    assert isinstance(configuration, LangGraphScore)
    (node,) = configuration.graph
    assert isinstance(node, Classifier)
    return node


PROCEDURE = 'ClassifyProcedure { model = "openai/gpt-4o", classes = {"A", "B"}, system_message = "S", MORE }'


def test_a_long_text_begins_behind_its_first_line_end() -> None:
    """Lua leaves out the line end behind `[[`, and nothing else; `[==[` ends with `]==]`."""
    node = read_node(PROCEDURE.replace("MORE", "user_message = [==[\n a [[b]] \n]==]"))
    assert node.user_message == " a [[b]] \n"


def test_the_system_message_is_no_template() -> None:
    """The original renders the user message alone."""
    node = read_node(PROCEDURE.replace('"S"', "[[Never {{ text }}]]").replace("MORE", 'user_message = "{{ text }}"'))
    assert (node.system_message, node.user_message) == ("{% raw %}Never {{ text }}{% endraw %}", "{{ text }}")


def test_the_number_of_retries_is_the_originals() -> None:
    """It asks again three times, unless the code says otherwise."""
    assert read_node(PROCEDURE.replace("MORE", "")).maximum_retry_count == 3
    assert read_node(PROCEDURE.replace("MORE", "max_retries = 1")).maximum_retry_count == 1


@pytest.mark.parametrize(("model", "sent"), [("openai/gpt-4o", 0), ("openai/gpt-5-nano", None)])
def test_the_temperature_is_the_originals(model: str, sent: float | None) -> None:
    """It sends 0, and none to a model that refuses it."""
    configuration = load(PROCEDURE.replace("openai/gpt-4o", model).replace("MORE", "")).scores[0].configuration
    assert isinstance(configuration, LangGraphScore)
    assert configuration.temperature == sent


@pytest.mark.parametrize(
    ("code", "line", "problem"),
    [
        ("-- nothing", 4, "it has no ClassifyProcedure"),
        ("local x = 1\n" + PROCEDURE.replace("MORE", ""), 4, "expected a text, a number or a table, got 'x'"),
        (
            "\nProcedure { run = function(input) return 1 end }",
            5,
            "expected a text, a number or a table, got 'function'",
        ),
        (PROCEDURE.replace("MORE", "input_field = 'body'"), 4, "has the key 'input_field'"),
        (PROCEDURE.replace("MORE", "").replace('{"A", "B"}', "{}"), 4, "has no 'classes'"),
        ('ClassifyProcedure {\n  classes = {"A"},\n  prompt = [[unfinished', 6, "got '[[unfinished'"),
        (PROCEDURE.replace("MORE", "") * 2, 4, "expected default_model and one ClassifyProcedure"),
    ],
)
def test_other_code_is_refused_with_its_line(code: str, line: int, problem: str) -> None:
    """Nothing of the code runs, and the error says what to write instead."""
    with pytest.raises(InvalidScorecard) as caught:
        load(code)
    (finding,) = [each for each in caught.value.problems if each.rule == "original"]
    assert problem in finding.message
    assert "next: write its steps as the nodes of a LangGraphScore" in finding.message
    assert finding.position.line == line
