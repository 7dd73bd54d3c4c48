"""`plexus lint`: requests that a model refuses, metadata that an item may lack, words that look like fields."""

import pytest

from plexus.exceptions import ScoringFailed
from plexus.language.templates import Template
from plexus.lint import lint
from tests.unit.plexus.small_cards import ASK, card, graph

OPENAI = "class: Generator, user_message: '{{ text }}', model_provider: openai"
CLAUDE = "class: Generator, user_message: '{{ text }}', model_provider: anthropic"


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        (f"{OPENAI}, model_name: o1, temperature: 0", "`temperature`: the model refuses it"),
        (f"{OPENAI}, model_name: o1, temperature: 1", None),
        (f"{OPENAI}, model_name: o1, temperature: null", None),
        (f"{OPENAI}, model_name: o1", None),
        (f"{OPENAI}, model_name: gpt-5, top_p: 0.5", "`top_p`: the model refuses it"),
        (f"{OPENAI}, model_name: gpt-5, reasoning_effort: low", None),
        (f"{OPENAI}, model_name: gpt-5, reasoning_effort: xhigh", "accepts minimal, low, medium, high"),
        (f"{OPENAI}, model_name: gpt-4o, temperature: 0, top_p: 0.5, seed: 7", None),
        (f"{OPENAI}, model_name: gpt-4o, reasoning_effort: low", "`reasoning_effort`: the model refuses it"),
        (f"{OPENAI}, model_name: gpt-4o, max_tokens: 20000", "gives at most 16384 tokens"),
        (f"{OPENAI}, model_name: gpt-4o, max_completion_tokens: 20000", "this `max_completion_tokens`"),
        (f"{OPENAI}, model_name: gpt-99, temperature: 0, reasoning_effort: low, max_tokens: 999999", None),
        (f"{CLAUDE}, model_name: claude-haiku-4-5, temperature: 0", None),
        (f"{CLAUDE}, model_name: claude-opus-4-7, temperature: 0", "`temperature`: the model refuses it"),
        (f"{CLAUDE}, model_name: claude-haiku-4-5, seed: 7", "`seed`: the provider has no such parameter"),
        (f"{CLAUDE}, model_name: claude-99, verbosity: low", "`verbosity`: the provider has no such parameter"),
        ("class: Generator, user_message: '{{ text }}', model_provider: ollama, model_name: llama3.2, seed: 7", None),
        (f"{OPENAI}, model_name: gpt-4o, max_tokens: 5, max_completion_tokens: 5", "two names of one limit"),
    ],
)
def test_parameters_that_a_model_refuses_are_found(node: str, problem: str | None) -> None:
    """The table of models decides; a model that it does not have accepts everything that its provider has."""
    problems = lint(graph(f"name: n, {node}"))
    assert [each.message for each in problems if problem is None or problem not in each.message] == []
    assert bool(problems) == (problem is not None)


def test_a_refused_parameter_of_the_score_is_reported_once_and_there() -> None:
    """The finding is where the parameter is written, however many nodes it is for."""
    nodes = (f"name: {name}, class: Generator, user_message: '{{{{ text }}}}'" for name in "abc")
    (problem,) = lint(graph(*nodes).replace("replay, model_name: m", "openai, model_name: o1, temperature: 0"))
    assert (problem.path, problem.rule) == (("scores", 0, "temperature"), "refused-parameter")


@pytest.mark.parametrize(
    ("message", "uses"),
    [
        ("{{ metadata.x }}", ["fails"]),
        ("{{ metadata['x'] }}", ["fails"]),
        ("{{ metadata.x | upper }}", ["fails"]),
        ("{{ metadata.x.y }}", ["fails"]),
        ("{% set y = metadata.x %}{{ y }}", ["fails"]),
        ("{% for y in metadata.x %}{{ y }}{% endfor %}", ["fails"]),
        ("{% if metadata.x %}a{% endif %}", ["is false"]),
        ("{% if not metadata.x %}a{% endif %}", ["is false"]),
        ("{% if metadata.x == 'a' or text %}a{% endif %}", ["is false"]),
        ("{% if metadata.x %}{{ metadata.x }}{% endif %}", ["is false"]),
        ("{% if metadata.x %}a{% else %}{{ metadata.x }}{% endif %}", ["is false", "fails"]),
        ("{{ metadata.x if metadata.x else 'none' }}", ["is false"]),
        ("{% if metadata.x | length > 3 %}a{% endif %}", ["fails"]),
        ("{% if metadata.x is defined %}{{ metadata.x }}{% endif %}", []),
        ("{% if metadata.x is defined and metadata.x == 'a' %}b{% endif %}", []),
        ("{% if 'x' in metadata %}{{ metadata.x }}{% endif %}", []),
        ("{{ metadata.x | default('none') }}", []),
        ("{{ metadata.x or 'none' }}", []),
        ("{{ metadata.x or metadata.y }}", ["fails"]),
        ("{% for y in metadata.x or [] %}{{ y }}{% endfor %}", []),
        ("{{ metadata.get('x', 'none') }}", []),
        ("{% for y in metadata.items() %}{{ y }}{% endfor %}", []),
        ("{{ metadata }}", []),
    ],
)
def test_metadata_that_an_item_may_lack_is_found(message: str, uses: list[str]) -> None:
    """A use without a guard is a warning: it fails, or is false in a condition."""
    problems = lint(graph(f'name: n, class: Generator, user_message: "{message}"'))
    assert [use in each.message for use, each in zip(uses, problems, strict=True)] == [True] * len(uses)


RESULTS = """
name: C
key: c
scores:
  - {{name: A, class: KeywordClassifier, keywords: [cash]}}
  - {{name: B, class: KeywordClassifier, keywords: [card], depends_on: {{A: "Yes"}}}}
  - name: D
    class: LangGraphScore
    model_provider: openai
    model_name: gpt-4o-mini
    depends_on: {depends}
    graph: [{{name: n, class: Generator, user_message: "{message}"}}]
    output: {{value: n.value}}
"""


@pytest.mark.parametrize(
    ("message", "depends", "count"),
    [
        ("{{ results['B'].value }}", "[A, B]", 1),
        ("{{ results.B.value | upper }}", "[A, B]", 1),
        ("{{ results['A'].value }}", "[A, B]", 0),
        ("{{ results['B'].value }}", "{A: null, B: 'Yes'}", 0),
        ("{{ results['B'].value | default('none') }}", "[A, B]", 0),
        ("{{ results['B'].value or 'none' }}", "[A, B]", 0),
        ("{% if results['B'] %}{{ results['B'].value }}{% endif %}", "[A, B]", 0),
        ("{% if 'B' in results %}{{ results['B'].value }}{% endif %}", "[A, B]", 0),
        ("{% if results['B'].value == 'Yes' %}a{% endif %}", "[A, B]", 0),
    ],
)
def test_a_result_that_a_skipped_score_lacks_is_found(message: str, depends: str, count: int) -> None:
    """A prompt that prints the result of a score with a condition fails for the texts that do not meet it."""
    problems = lint(RESULTS.format(message=message, depends=depends))
    assert [each.rule for each in problems] == ["absent-result"] * count


@pytest.mark.parametrize("use", ["{{ X }}", "{{ X | upper }}", "{{ X or 'none' }}", "{{ X | default('none') }}"])
@pytest.mark.parametrize("name", ["metadata.x", "results['B'].value"])
def test_a_use_is_found_if_and_only_if_it_fails(use: str, name: str) -> None:
    """The warning is about what a template really does without the member."""
    message = use.replace("X", name)
    problems = lint(RESULTS.format(message=message, depends="[A, B]"))
    if problems:
        with pytest.raises(ScoringFailed, match="undefined"):
            Template(message).render({"metadata": {}, "results": {}})
    else:
        assert Template(message).render({"metadata": {}, "results": {}}) == "none"


def test_metadata_that_every_test_has_is_expected_of_every_item() -> None:
    """A score whose tests all have a field says that its items have it."""
    node = 'name: n, class: Generator, user_message: "{{ metadata.x }}"'
    tests = "{text: a, metadata: {x: 1}, value: b}, {text: a, metadata: {x: 1, y: 2}, value: b}"
    assert lint(graph(node, more=f", tests: [{tests}]")) == []
    assert len(lint(graph(node.replace("x", "y"), more=f", tests: [{tests}]"))) == 1


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("metadata.x == 'a'", 1),
        ("metadata['x'] == 'a'", 1),
        ("metadata.get('x') == 'a'", 0),
        ("'x' in metadata and metadata['x'] == 'a'", 0),
    ],
)
def test_metadata_in_expressions_is_found(expression: str, count: int) -> None:
    """An expression fails for an item without the field, unless it uses `get` or tests for it."""
    problems = lint(card(f'name: A, class: CompositeScore, expression: "{expression}"'))
    assert [each.rule for each in problems] == ["absent-metadata"] * count


@pytest.mark.parametrize(
    ("output", "more", "count"),
    [
        ("{value: completion}", "", 1),
        ("{value: n.completion}", "", 1),
        ("{value: nn.value}", "", 1),
        ("{value: n.value, explanation: reasoning}", "", 1),
        ("{value: other}", "", 1),
        ("{value: other}", ", validation: {value: {valid_classes: [Other, A]}}", 0),
        ("{value: other}", ", tests: [{text: x, value: other}]", 0),
        ("{value: Other}", "", 0),
        ("{value: not applicable}", "", 0),
        ("{value: a}", "", 0),
        ("{value: n.value, topic: other}", "", 0),
    ],
)
def test_words_that_look_like_fields_are_found(output: str, more: str, count: int) -> None:
    """A word in small letters that is no field is a value only if the scorecard names it as one."""
    problems = lint(graph(f"name: n, {ASK}", more=f", output: {output}{more}"))
    assert len([each for each in problems if each.rule in ("unknown-field", "undefined", "near-miss")]) == count


def test_what_conditions_decided_before_is_not_open_again() -> None:
    """A class that every path to a node excludes meets no condition there, and a node behind it is not reached."""
    text = graph(
        f"name: a, {ASK}, conditions: [{{value: A, node: END}}]",
        "name: b, class: Generator, user_message: x, conditions: [{state: a.classification, value: A, node: d}]",
        "name: c, class: Generator, user_message: x, edge: {node: END}",
        "name: d, class: Generator, user_message: x",
    )
    assert [(each.rule, each.position.line) for each in lint(text)] == [("never-reached", 6), ("never-reached", 8)]


@pytest.mark.parametrize(
    "nodes",
    [
        # Another path leaves the class open.
        (
            f"name: s, {ASK}, conditions: [{{value: A, node: b}}]",
            f"name: a, {ASK}, conditions: [{{value: A, node: END}}]",
            "name: b, class: Generator, user_message: x, conditions: [{state: s.value, value: A, node: END}]",
            "name: c, class: Generator, user_message: x",
        ),
        # A loop asks again.
        (
            f"name: a, {ASK}, conditions: [{{value: A, node: c}}]",
            "name: b, class: Generator, user_message: x, edge: {node: a}",
            "name: c, class: Generator, user_message: x, conditions: [{state: a.value, value: A, node: END}]",
        ),
        # An alias that several nodes set may be of any of them.
        (
            f"name: a, {ASK}, output: {{k: value}}, conditions: [{{value: A, node: c}}]",
            f"name: b, {ASK}, output: {{k: value}}",
            "name: c, class: Generator, user_message: x, conditions: [{state: k, value: B, node: END}]",
        ),
        ("name: a, class: NumericClassifier, user_message: x, minimum: 1, conditions: [{value: 5, node: END}]",),
    ],
)
def test_what_some_path_leaves_open_is_reached(nodes: tuple[str, ...]) -> None:
    """Nothing is reported that some text can reach."""
    assert [each for each in lint(graph(*nodes)) if each.rule == "never-reached"] == []


@pytest.mark.parametrize("value", ["0", "11", "7.5", "many", "[0, 11]"])
def test_a_number_outside_of_its_range_meets_no_condition(value: str) -> None:
    """A condition on a number that the node cannot give is reported."""
    numeric = "class: NumericClassifier, user_message: '{{ text }}', minimum: 1, maximum: 10, whole: true"
    operator = "in" if value.startswith("[") else "=="
    problems = lint(graph(f"name: n, {numeric}, conditions: [{{operator: {operator}, value: {value}, node: END}}]"))
    assert [each.rule for each in problems] == ["never-reached"]
