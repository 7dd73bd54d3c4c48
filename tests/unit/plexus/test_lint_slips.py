"""`plexus lint`: slips that load and run, each beside what is written like it and right; and values without meaning."""

from pathlib import Path

import pytest

from plexus.lint import lint
from tests.unit.plexus.small_cards import ASK, REPLAY, card, graph

KEYWORD = "class: KeywordClassifier, keywords: [x]"


@pytest.mark.parametrize(
    ("nodes", "count"),
    [
        (["name: a, class: Generator, user_message: Summarize."], 1),
        (["name: a, class: Generator, system_message: Be brief., user_message: Summarize."], 1),
        (
            [
                "name: a, class: Generator, user_message: One., edge: {node: b}",
                "name: b, class: Generator, user_message: x",
            ],
            1,
        ),
        (["name: a, class: Generator, system_message: 'About {{ text }}', user_message: Summarize."], 0),
        (["name: a, class: Generator, user_message: '{% if text %}a{% endif %}'"], 0),
        (["name: a, class: Generator, user_message: '{{ metadata }}'"], 0),
        (["name: a, class: Generator, user_message: One.", f"name: b, {ASK}"], 0),
        (["name: a, class: BeforeAfterSlicer, quotation: text"], 0),
    ],
)
def test_a_score_whose_prompts_have_no_variable_is_found(nodes: list[str], count: int) -> None:
    """A prompt without one is right if another prompt of the score has it."""
    assert [each.rule for each in lint(graph(*nodes)) if each.rule == "constant-prompt"] == ["constant-prompt"] * count


@pytest.mark.parametrize(
    ("provider", "name", "meant"),
    [
        ("openai", "gpt-4o-minni", "gpt-4o-mini"),
        ("openai", "gtp-4o", "gpt-4o"),
        ("ChatOpenAI", "GPT-4o-mini", "gpt-4o-mini"),
        ("anthropic", "claude-haiku-4.5", "claude-haiku-4-5"),
        ("openai", "gpt-4o-mini", None),
        ("openai", "gpt-4o-mini-2024-07-18", None),
        ("openai", "gpt-99", None),
        ("openai", "gpt-5.9-mini", None),
        ("openai", "ft:gpt-4o-mini:company::abc", None),
        ("ollama", "lama", None),
        ("azure", "our-deployment", None),
        ("replay", "gpt-4o-minni", None),
    ],
)
def test_a_misspelled_model_is_found(provider: str, name: str, meant: str | None) -> None:
    """A model of another number may be new, and a deployment has any name."""
    problems = lint(graph(f"name: n, {ASK}, model_provider: {provider}, model_name: '{name}'"))
    assert [each.message.partition("; ")[2] for each in problems] == ([f"did you mean {meant!r}?"] if meant else [])


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("results['X'].value == 'Bad'", 1),
        ("'Bad' != results['X'].value", 1),
        ("results['X'].value in ['Yes', 'Bad']", 1),
        ("results['X'].value in ('Bad', 'Worse')", 2),
        ("text == 'Bad' or results['X'].value == 'Yes'", 0),
        ("results['X'].value == 'no'", 0),
        ("results['X'].value == 'skipped'", 0),
        ("results['X'].explanation == 'Bad'", 0),
        ("results['Y'].value == 'Bad'", 0),
    ],
)
def test_a_result_that_never_has_a_value_is_found(expression: str, count: int) -> None:
    """In expressions and in templates; the values of Y are not known."""
    scores = [f"name: X, {KEYWORD}", "name: Y, class: CompositeScore, expression: text"]
    condition = expression.replace("'", "''")
    last = [
        f'name: B, class: CompositeScore, depends_on: [X, Y], expression: "{expression}"',
        f"name: B, class: CompositeScore, depends_on: [X, Y], expression: text, "
        f"explanation: '{{% if {condition} %}}a{{% endif %}}'",
    ]
    for score in last:
        rules = [each.rule for each in lint(card(*scores, score))]
        assert rules == ["impossible-result"] * count


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ("keywords: [x], found: Bad, not_found: bad", 1),
        ("keywords: [x], found: Bad, not_found: ' BAD'", 1),
        ("keywords: [x], found: Same, not_found: Same", 1),
        ("keywords: [x], found: A, not_found: B", 0),
        ("classes: [{value: A, keywords: [x]}, {value: a, keywords: [y]}]", 1),
        ("classes: [{value: A, keywords: [x]}], default: a", 1),
        ("classes: [{value: A, keywords: [x]}, {value: A, patterns: [y]}], default: A", 0),
    ],
)
def test_values_that_differ_by_case_alone_are_found(more: str, count: int) -> None:
    """A class may be listed twice, and be the default."""
    assert [each.rule for each in lint(card(f"name: A, class: KeywordClassifier, {more}"))] == ["equal-values"] * count


@pytest.mark.parametrize(
    "keyword", ["a*", "refund*", "*fund", "re.*fund", r"\\bno\\b", "[a-z]+", "(late|slow)", "^Dear", "late$"]
)
def test_a_keyword_that_is_written_as_a_pattern_is_found(keyword: str) -> None:
    """In the short form and in classes."""
    for more in (f'keywords: ["{keyword}"]', f'classes: [{{value: A, keywords: ["{keyword}"]}}]'):
        assert [each.rule for each in lint(card(f"name: A, class: KeywordClassifier, {more}"))] == ["literal-pattern"]


@pytest.mark.parametrize(
    "keyword", ["C++", "f*ck", "what?", "$5", "[sic]", "5 * 3", "A/B", "a.b", "(c)", "**", "e.g.", "^^"]
)
def test_a_keyword_with_signs_is_none(keyword: str) -> None:
    """People write these."""
    assert lint(card(f'name: A, class: KeywordClassifier, keywords: ["{keyword}"]')) == []


def test_labels_that_the_validation_rejects_are_found(tmp_path: Path) -> None:
    """Whatever their case, after the card's own map, and with at most five of them."""
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"t{n},{'ABCDEFGHa'[n]}\n" for n in range(9)))
    text = card("name: S, class: SVMClassifier, data: {file: t.csv, MAP}, validation: {value: {valid_classes: [a, b]}}")
    (problem,) = lint(text.replace(", MAP", ""), folder=tmp_path)
    assert (problem.rule, problem.severity) == ("rejected-label", "warning")
    assert "include 'C', 'D', 'E', 'F', 'G', …, not" in problem.message
    mapped = "labels: {c: A, d: null, e: b, f: a, g: a, h: a}"
    assert lint(text.replace("MAP", mapped), folder=tmp_path) == []


def test_a_missing_file_is_found_beside_other_problems(tmp_path: Path) -> None:
    """Also in the score that has them, whose keys cannot be read."""
    text = card("name: S, class: SVMClassifier, data: {file: none.csv}, minimum_confidenc: 0.5")
    assert {each.rule for each in lint(text, folder=tmp_path)} == {"schema", "missing-file"}


@pytest.mark.parametrize(
    "score",
    [
        'class: KeywordClassifier, keywords: [""]',
        'class: KeywordClassifier, keywords: ["\\u200b"]',
        'class: KeywordClassifier, keywords: [x], negations: [" "]',
        'class: KeywordClassifier, keywords: [x], found: ""',
        'class: LangGraphScore, graph: [{name: f, class: FuzzyMatchClassifier, targets: [{phrase: " "}]}]',
        f'{KEYWORD}, item: {{processors: [{{class: RelevantWindows, keywords: [""]}}]}}',
    ],
)
def test_blank_keywords_and_values_are_refused(score: str) -> None:
    """A blank keyword or value is an error: it would match everywhere, or mean nothing."""
    (problem,) = lint(card(f"name: A, {score}"))
    assert problem.message.startswith("expected text that is not blank")


@pytest.mark.parametrize(
    "more",
    [
        f"{KEYWORD}, validation: {{value: {{minimum_length: 9, maximum_length: 3}}}}",
        f"{KEYWORD}, item: {{processors: [{{class: TimeSlice, from: 5, to: 5}}]}}",
        f"{REPLAY}, graph: [{{name: n, class: NumericClassifier, minimum: 5, maximum: 1, user_message: x}}]",
    ],
)
def test_limits_must_leave_a_valid_value(more: str) -> None:
    """Limits that no value can satisfy are an error."""
    (problem,) = lint(card(f"name: A, {more}"))
    assert problem.message.startswith(
        "no value lies between 'm" if "TimeSlice" not in more else "no value lies between 'f"
    )


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% macro f() %}x{% endmacro %}{{ text }}", "macro is not part of the template language"),
        ("{% include x %}{{ text }}", "include is not part of the template language"),
        ("{{ text | nosuch }}", "there is no filter 'nosuch'; known filters: abs, "),
        ("{% include x %}{{ text }}{% macro f() %}x{% endmacro %}", "language; line 1: macro is not"),
    ],
)
def test_a_template_outside_the_language_is_a_finding_beside_others(template: str, message: str) -> None:
    """What templates do not have is reported at its message, and the other problems of the file are too."""
    nodes = f"name: n, class: Generator, user_message: '{template}'", f"name: o, {ASK}, edge: {{node: gone}}"
    findings = lint(graph(*nodes))
    assert [problem.position.line for problem in findings if message in problem.message] == [5]
    assert any("there is no node 'gone'" in problem.message for problem in findings)


def test_an_alias_of_the_fields_own_name_is_set_once_more_without_a_warning() -> None:
    """An import writes `explanation: explanation` at each node: an edge that sets it overrides nothing else."""
    edge = "conditions: [{value: A, node: END, output: {explanation: x}}]"
    findings = lint(graph(f"name: a, {ASK}, output: {{explanation: explanation}}, {edge}"))
    assert "output-twice" not in {problem.rule for problem in findings}


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (
            f"{REPLAY}, graph: [{{name: n, {ASK}, system_message: '{{{{ text.tolower() }}}}'}}]",
            "has no attribute 'tolower'",
        ),
        (f"{REPLAY}, graph: [{{name: n, {ASK}, system_message: '{{{{ text.replace(1) }}}}'}}]", "TypeError"),
        (f"{REPLAY}, graph: [{{name: n, {ASK}, system_message: '{{{{ text.format(1) }}}}'}}]", "the sandbox denies"),
        (
            f"{REPLAY}, graph: [{{name: n, class: Generator, "
            "user_message: '{% if false %}{{ text }}{% endif %}'}]",
            "the message is empty",
        ),
        ("class: CompositeScore, expression: len(text) / 0", "ZeroDivisionError"),
        ("class: CompositeScore, expression: \"matches(text, '(')\"", "the expression failed"),
        (
            f"{REPLAY}, graph: [{{name: n, class: LogicalClassifier, expression: 1 > 2, valid_classes: [A, B]}}]",
            "is none of A, B",
        ),
        (f"{KEYWORD}, validation: {{value: {{valid_classes: [Ja]}}}}", "validation rejects every value of the score"),
    ],
)
def test_a_score_that_fails_for_every_text_is_found(score: str, message: str) -> None:
    """Sources that need only the text are run on some, and values are compared with what validation accepts."""
    (problem,) = lint(card(f"name: A, {score}"))
    assert problem.rule == "always-fails"
    assert message in problem.message


@pytest.mark.parametrize(
    "score",
    [
        "class: CompositeScore, expression: float(text) > 2",
        "class: CompositeScore, expression: \"text.split(': ')[1]\"",
        f"{REPLAY}, graph: [{{name: n, {ASK}, system_message: '{{% if false %}}{{{{ text }}}}{{% endif %}}'}}]",
        f"{REPLAY}, graph: [{{name: n, class: LogicalClassifier, expression: text > 'b', valid_classes: [Yes]}}]",
        f"{KEYWORD}, validation: {{value: {{valid_classes: [Yes]}}}}",
        f"{KEYWORD}, not_found: Ja, validation: {{value: {{patterns: [J]}}}}",
    ],
)
def test_a_score_that_some_text_passes_is_right(score: str) -> None:
    """What fails for some texts only may be meant."""
    assert lint(card(f"name: A, {score}")) == []
