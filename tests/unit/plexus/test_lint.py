"""`plexus lint`: the smallest card that breaks each rule breaks exactly that one."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plexus.checks.rules import BY_NAME, RULES
from plexus.commands.lint import command
from plexus.lint import lint, lint_file

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples/scorecards").glob("*.yaml"))
HEAD = "name: C\nkey: c\nscores:\n"
REPLAY = "class: LangGraphScore, model_provider: replay, model_name: m"
ASK = "class: Classifier, valid_classes: [A, B], user_message: x"


def card(*scores: str) -> str:
    """A card of scores in flow style, one a line: the first stands on line 4."""
    return HEAD + "".join(f"  - {{{score}}}\n" for score in scores)


def graph(*nodes: str, more: str = "") -> str:
    """A card with one graph: its nodes stand from line 5, one a line."""
    lines = "".join(f"      - {{{node}}}\n" for node in nodes)
    return (
        f"{HEAD}  - {{name: G, {REPLAY}{more}, graph: [\n"
        + lines.replace("      - ", "  ").replace("}\n", "},\n")
        + "  ]}\n"
    )


KEYWORD = "class: KeywordClassifier, keywords: [x]"
CASES = {
    "yaml": (HEAD + "  - {name: A, name: B}\n", 4, "the key 'name' is here twice"),
    "schema": (card(f"name: A, {KEYWORD}, negation: [no]"), 4, "did you mean 'negations'?"),
    "duplicate": (card(f"name: A, {KEYWORD}", f"name: A, {KEYWORD}"), 5, "two scores have the name 'A'"),
    "dependency": (card(f"name: Refund, {KEYWORD}", f"name: B, {KEYWORD}, depends_on: [Refnd]"), 5, "mean 'Refund'?"),
    "cycle": (card(f"name: A, {KEYWORD}, depends_on: [B]", f"name: B, {KEYWORD}, depends_on: [A]"), 4, "A → B → A"),
    "impossible-value": (
        card(f"name: A, {KEYWORD}", f"name: B, {KEYWORD}, depends_on: {{A: Yess}}"),
        5,
        "'A' never has the value 'Yess'; did you mean 'Yes'?; it gives Yes, No",
    ),
    "uncertain": (
        card(
            "name: A, class: SVMClassifier, data: {file: there.csv}, minimum_confidence: 0.7, "
            "validation: {value: {valid_classes: [Good, Bad]}}"
        ),
        4,
        "below `minimum_confidence` the value is 'Uncertain', which `validation` refuses (expected one of Good, Bad)",
    ),
    "needs-disabled": (
        card(f"name: A, {KEYWORD}, disabled: true", f"name: B, {KEYWORD}, depends_on: [A]"),
        5,
        "'B' needs 'A', which is disabled",
    ),
    "unused": (card(f"name: A, {KEYWORD}, disabled: true", f"name: B, {KEYWORD}"), 4, "nothing needs it"),
    "pattern": (card("name: A, class: KeywordClassifier, patterns: ['(']"), 4, "not a regular expression of RE2"),
    "source": (graph("name: n, class: Generator, user_message: '{{ text '"), 5, "not a template"),
    "graph": (graph(f"name: n, {ASK}, edge: {{node: m}}"), 5, "there is no node 'm'"),
    "no-model": (
        graph(f"name: n, {ASK}").replace(", model_provider: replay, model_name: m", ""),
        5,
        "neither it nor the score has `model_provider` and `model_name`",
    ),
    "provider": (
        graph(f"name: n, {ASK}").replace("provider: replay", "provider: bedrok"),
        4,
        "there is no provider 'bedrok'; did you mean 'bedrock'?",
    ),
    "strange-provider": (
        graph(f"name: n, {ASK}, model_provider: mistralai"),
        5,
        "the provider 'mistralai' is not one of anthropic, azure, bedrock, ollama, openai, replay",
    ),
    "unreachable-node": (graph(f"name: a, {ASK}, edge: {{node: END}}", f"name: b, {ASK}"), 6, "leads to the node 'b'"),
    "endless": (graph(f"name: a, {ASK}, edge: {{node: a}}"), 5, "no way leads to the end"),
    "impossible-class": (
        graph(f"name: a, {ASK}, conditions: [{{value: C, node: END}}]"),
        5,
        "the node 'a' cannot return 'C'; it returns A, B",
    ),
    "unreachable-condition": (
        graph(f"name: a, {ASK}, conditions: [{{value: A, node: END}}, {{value: a, node: END}}]"),
        5,
        "this condition is never met",
    ),
    "undefined": (
        graph("name: a, class: Generator, user_message: '{{ txt }}'"),
        5,
        "nothing defines 'txt'; did you mean 'text'?; here are metadata, results, text",
    ),
    "unknown-result": (
        card(f"name: A, {KEYWORD}", "name: B, class: CompositeScore, expression: \"results['A'].value\""),
        5,
        "results['A'] is not there; add 'A' to `depends_on`",
    ),
    "sometimes-undefined": (
        graph(
            f"name: a, {ASK}, conditions: [{{value: A, node: c}}]",
            f"name: b, {ASK}",
            "name: c, class: Generator, user_message: '{{ b.value }}'",
        ),
        7,
        "'b' has no value on every way to this node",
    ),
    "no-value": (
        graph(f"name: n, {ASK}", more=", output: {explanation: n.explanation}"),
        4,
        "no `value`: the score would fail for every text",
    ),
    "output-twice": (
        graph(f"name: a, {ASK}, output: {{v: value}}, conditions: [{{value: A, node: END, output: {{v: 1}}}}]"),
        5,
        "'v' is set by the node's `output` too",
    ),
    "near-miss": (
        graph(f"name: a, {ASK}, output: {{v: clasification}}"),
        5,
        "did you mean 'classification'?",
    ),
    "missing-file": (card("name: A, class: SVMClassifier, data: {file: none.csv}"), 4, "no file 'none.csv' beside"),
    "missing-artifact": (
        card(f"name: A, class: SVMClassifier, data: {{file: there.csv}}, artifact: 'sha256:{'0' * 64}'"),
        4,
        "holds no artifact sha256:000000000000…",
    ),
    "untrained": (card("name: A, class: SVMClassifier"), 4, "says no labelled texts"),
}  # fmt: skip


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_finds_what_breaks_it(rule: str, tmp_path: Path) -> None:
    """The finding has the rule's name and severity, the line, and says what was expected; there is no other."""
    text, line, said = CASES[rule]
    (tmp_path / "there.csv").touch()
    found = lint(text, folder=tmp_path, store=tmp_path / "store")
    assert [(each.rule, each.severity) for each in found] == [(rule, BY_NAME[rule].severity)]
    assert found[0].position.line == line
    assert said in found[0].message


def test_every_rule_has_a_case() -> None:
    """A rule without a card that breaks it would be untested."""
    assert set(CASES) == set(BY_NAME)


def test_the_page_lists_the_rules_as_they_are() -> None:
    """docs/lint.md and `plexus lint --rules` say the same."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \| (.+) \|$", (ROOT / "docs/lint.md").read_text(), re.M)
    assert rows == [(rule.name, rule.severity, rule.says) for rule in RULES]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_break_no_rule(example: Path) -> None:
    """Warnings included."""
    assert lint_file(example) == []


def test_only_errors_keep_a_card_from_loading() -> None:
    """What lint calls an error is refused at load, and a warning is not."""
    import plexus
    from plexus.exceptions import InvalidScorecard

    by_lint_only = {"missing-file", "missing-artifact", "untrained"}
    for rule, (text, _, _) in CASES.items():
        if rule in by_lint_only or BY_NAME[rule].severity == "warning":
            plexus.load(text)
        else:
            with pytest.raises(InvalidScorecard):
                plexus.load(text)


@pytest.mark.parametrize(
    "node",
    [
        "name: b, class: Generator, user_message: '{{ a.value }} {{ a.explanation }} {{ quote }}'",
        "name: b, class: LogicalNode, set: {one: 'len(quote)', two: 'one + 1'}",
        "name: b, class: LogicalClassifier, expression: \"a.value == 'x'\", explanation: '{{ classification }}'",
        "name: b, class: BeforeAfterSlicer, quotation: a.value",
        "name: b, class: Generator, user_message: '{% for each in quote.split() %}{{ each }}{% endfor %}'",
        "name: b, class: Generator, user_message: \"{{ metadata['channel'] }} {{ metadata.channel }}\"",
    ],
)
def test_what_an_earlier_node_sets_is_defined(node: str) -> None:
    """Fields, aliases, loop variables and metadata are known; nothing is found where nothing is wrong."""
    assert lint(graph("name: a, class: Extractor, user_message: x, output: {quote: value}", node)) == []


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("name: b, class: Generator, user_message: '{{ a.valu }}'", "the node 'a' has no field 'valu'; did you mean"),
        ("name: b, class: Generator, user_message: x, output: {v: a.valu}", "the node 'a' has no field 'valu'"),
        ("name: b, class: LogicalNode, set: {one: 'two', two: '1'}", "'two' is set only later"),
        ("name: b, class: ContextExtractor, quotation: qoute", "nothing defines 'qoute'; did you mean 'quote'?"),
        ("name: b, class: LogicalClassifier, expression: 'c.value'", "'c' is set only later, or by a node that"),
    ],
)
def test_what_nothing_sets_is_named(node: str, said: str) -> None:
    """A field that a node does not have, an alias of later, a typo, a node that comes after."""
    first = "name: a, class: Extractor, user_message: x, output: {quote: value}"
    (found,) = lint(graph(first, node, "name: c, class: Generator, user_message: x"))
    assert said in found.message


def test_each_circle_is_told_once() -> None:
    """All at once, each from its first score; a dependency that lies on several is told with a shortest."""
    needs = {"A": "B, C", "B": "A", "C": "B, D", "D": "A", "E": "F", "F": "G", "G": "E, A", "H": "A"}
    found = lint(card(*(f"name: {name}, {KEYWORD}, depends_on: [{listed}]" for name, listed in needs.items())))
    assert [(each.position.line, each.message.rpartition(": ")[2]) for each in found] == [
        (4, "A → B → A"),
        (4, "A → C → B → A"),
        (4, "A → C → D → A"),
        (8, "E → F → G → E"),
    ]
    assert {each.rule for each in found} == {"cycle"}


def test_many_circles_are_told_soon() -> None:
    """Of a hundred scores that all need each other, as many as anybody reads."""
    names = [f"S{place}" for place in range(100)]
    found = lint(card(*(f"name: {name}, {KEYWORD}, depends_on: [{', '.join(names)}]" for name in names)))
    circles = [each.message for each in found if each.rule == "cycle"]
    assert len(circles) == 100
    assert circles[-1].endswith("there may be more circles than these 100")


@pytest.mark.parametrize(
    ("key", "meant"),
    [("model_provder", "model_provider"), ("provider", "model_provider"), ("name_model", "model_name")],
)
def test_a_wrong_key_of_a_model_is_told_with_the_right_one(key: str, meant: str) -> None:
    """A typo, a part of the name, or its words in another order."""
    (found,) = lint(graph(f"name: n, {ASK}", more=f", {key}: bedrock"))
    assert (found.rule, found.position.line) == ("schema", 4)
    assert f"unknown key {key!r}; did you mean {meant!r}?" in found.message


@pytest.mark.parametrize("provider", ["bedrock", "Azure-OpenAI", "ChatAnthropic", "Replay", "aws"])
def test_every_name_of_a_provider_is_known(provider: str) -> None:
    """In any case, with a hyphen, and as LangChain's class."""
    assert lint(graph(f"name: n, {ASK}, model_provider: {provider}")) == []


def test_classes_that_conditions_took_do_not_fall_through() -> None:
    """When conditions take every class, the next node is reached by none of the node's ways."""
    node = f"name: a, {ASK}, conditions: [{{value: A, node: c}}, {{operator: in, value: [B], node: c}}]"
    found = lint(graph(node, f"name: b, {ASK}", f"name: c, {ASK}"))
    assert [(each.rule, each.position.line) for each in found] == [("unreachable-node", 6)]


def run(tmp_path: Path, *options: str) -> Result:
    """The command on a card with an error and a warning."""
    broken = tmp_path / "card.yaml"
    broken.write_text(card(f"name: A, {KEYWORD}, disabled: true", f"name: B, {KEYWORD}, negation: [no]"))
    return CliRunner().invoke(command, [str(broken), *options], standalone_mode=False)


def test_json_and_github_say_the_same(tmp_path: Path) -> None:
    """Place, severity, rule and message, for machines and for a pull request."""
    problems = json.loads(run(tmp_path, "--format", "json").stdout)
    lines = run(tmp_path, "--format", "github").stdout.splitlines()
    assert len(problems) == len(lines) == 2
    for problem, line in zip(problems, lines, strict=True):
        place = problem["position"]
        assert line.startswith(f"::{problem['severity']} file=")
        assert f",line={place['line']},col={place['column']},title={problem['rule']}::" in line
        assert line.endswith(problem["message"])


def test_warnings_fail_where_they_shall(tmp_path: Path) -> None:
    """Exit 0 with warnings alone, 1 with --strict, 1 with an error."""
    assert run(tmp_path).return_value == 1
    warned = tmp_path / "warned.yaml"
    warned.write_text(CASES["unused"][0])
    found = [CliRunner().invoke(command, [str(warned), *more], standalone_mode=False) for more in ([], ["--strict"])]
    assert [each.return_value for each in found] == [0, 1]


@pytest.mark.parametrize(
    "score",
    [
        'class: KeywordClassifier, keywords: [""]',
        'class: KeywordClassifier, keywords: [x], negations: [" "]',
        'class: KeywordClassifier, keywords: [x], found: ""',
        'class: LangGraphScore, graph: [{name: f, class: FuzzyMatchClassifier, targets: [{phrase: " "}]}]',
        f'{KEYWORD}, item: {{processors: [{{class: RelevantWindows, keywords: [""]}}]}}',
    ],
)
def test_what_is_blank_is_no_word_and_no_value(score: str) -> None:
    """An empty keyword would be found in every text, and an empty value is none."""
    (problem,) = lint(card(f"name: A, {score}"))
    assert problem.message.startswith("expected text that is not blank")


def test_a_truth_is_asked_for_as_yes_or_no() -> None:
    """The condition `true` on an expression's value, which is text, would skip the score for every text."""
    computed = 'name: A, class: CompositeScore, expression: "len(text) > 3"'
    (problem,) = lint(card(computed, f"name: B, {KEYWORD}, depends_on: {{A: true}}"))
    assert (problem.rule, problem.position.line) == ("impossible-value", 5)
    assert 'put "Yes"' in problem.message


def test_a_digest_that_is_none_is_told_by_its_line(tmp_path: Path) -> None:
    """As every other mistake, with or without a store."""
    text = graph(f"name: a, {ASK}", more=", cassette: 'sha256:abc'")
    for store in (None, tmp_path):
        (problem,) = lint(text, folder=tmp_path, store=store)
        assert "'sha256:abc' is no digest" in problem.message


@pytest.mark.parametrize(
    "more",
    [
        f"{KEYWORD}, validation: {{value: {{minimum_length: 9, maximum_length: 3}}}}",
        f"{KEYWORD}, item: {{processors: [{{class: TimeSlice, from: 5, to: 5}}]}}",
        f"{REPLAY}, graph: [{{name: n, class: NumericClassifier, minimum: 5, maximum: 1, user_message: x}}]",
    ],
)
def test_limits_leave_something_between_them(more: str) -> None:
    """What no text and no reply could meet would fail every time."""
    (problem,) = lint(card(f"name: A, {more}"))
    assert problem.message.startswith(
        "nothing lies between 'm" if "TimeSlice" not in more else "nothing lies between 'f"
    )
