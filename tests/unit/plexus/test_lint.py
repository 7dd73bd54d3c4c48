"""`plexus lint`: the smallest scorecard that breaks a rule breaks exactly that one."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plexus.commands.lint import command
from plexus.lint import BY_NAME, RULES, lint, lint_file
from tests.unit.plexus.small_cards import ASK, HEAD, card, graph

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/reference/lint.md"
EXAMPLES = sorted((ROOT / "examples/scorecards").glob("*.yaml"))
TEXT = "{{ text }}"
GPT_4 = "model_provider: openai, model_name: gpt-4"
NEVER = "\"results['X'].value == 'Bad'\""
KEYWORD = "class: KeywordClassifier, keywords: [x]"
CASES = {
    "yaml": (HEAD + "  - {name: A, name: B}\n", 4, "duplicate key 'name'"),
    "schema": (card(f"name: A, {KEYWORD}, negation: [no]"), 4, "did you mean 'negations'?"),
    "duplicate": (card(f"name: A, {KEYWORD}", f"name: A, {KEYWORD}"), 5, "two scores have the name 'A'"),
    "dependency": (card(f"name: Refund, {KEYWORD}", f"name: B, {KEYWORD}, depends_on: [Refnd]"), 5, "mean 'Refund'?"),
    "cycle": (card(f"name: A, {KEYWORD}, depends_on: [B]", f"name: B, {KEYWORD}, depends_on: [A]"), 4, "A → B → A"),
    "impossible-value": (
        card(f"name: A, {KEYWORD}", f"name: B, {KEYWORD}, depends_on: {{A: Yess}}"),
        5,
        "'A' never has the value 'Yess'; did you mean 'Yes'?; its values are Yes, No",
    ),
    "uncertain": (
        card(
            "name: A, class: SVMClassifier, data: {file: there.csv}, minimum_confidence: 0.7, "
            "validation: {value: {valid_classes: [Good, Bad, y]}}"
        ),
        4,
        "below `minimum_confidence` the value is 'Uncertain', which `validation` rejects (expected one of Good",
    ),
    "needs-disabled": (
        card(f"name: A, {KEYWORD}, disabled: true", f"name: B, {KEYWORD}, depends_on: [A]"),
        5,
        "'B' depends on 'A', which is disabled",
    ),
    "unused": (card(f"name: A, {KEYWORD}, disabled: true", f"name: B, {KEYWORD}"), 4, "no score depends on it"),
    "pattern": (card("name: A, class: KeywordClassifier, patterns: ['(']"), 4, "not a regular expression in RE2's"),
    "source": (graph("name: n, class: Generator, user_message: '{{ text '"), 5, "not a template"),
    "graph": (graph(f"name: n, {ASK}, edge: {{node: m}}"), 5, "there is no node 'm'"),
    "colliding-classes": (
        graph("name: n, class: Classifier, valid_classes: [N/A, Yes, NA], user_message: '{{ text }}'"),
        5,
        "the class 'NA' and 'N/A' are the same in a reply",
    ),
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
        "it is not one of anthropic, azure, bedrock, ollama, openai, replay",
    ),
    "unreachable-node": (graph(f"name: a, {ASK}, edge: {{node: END}}", f"name: b, {ASK}"), 6, "'b' cannot be reached"),
    "endless": (graph(f"name: a, {ASK}, edge: {{node: a}}"), 5, "the end cannot be reached from the node 'a'"),
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
        "nothing defines 'txt'; did you mean 'text'?; defined here: metadata, results, text",
    ),
    "unknown-result": (
        card(f"name: A, {KEYWORD}", "name: B, class: CompositeScore, expression: \"results['A'].value\""),
        5,
        "results['A'] does not exist; add 'A' to `depends_on`",
    ),
    "sometimes-undefined": (
        graph(
            f"name: a, {ASK}, conditions: [{{value: A, node: c}}]",
            f"name: b, {ASK}",
            "name: c, class: Generator, user_message: '{{ b.value }}'",
        ),
        7,
        "'b' is not defined on every path to this node",
    ),
    "no-value": (
        graph(f"name: n, {ASK}", more=", output: {explanation: n.explanation}"),
        4,
        "`value` is missing: the score would fail for every text",
    ),
    "output-twice": (
        graph(f"name: a, {ASK}, output: {{v: value}}, conditions: [{{value: A, node: END, output: {{v: 1}}}}]"),
        5,
        "'v' is also set by the node's `output`",
    ),
    "original": ("name: S\ngraph: [\n  {name: a, class: Validator}]\n", 3, "node class 'Validator' has no counterpart"),
    "near-miss": (graph(f"name: a, {ASK}, output: {{v: clasification}}"), 5, "did you mean 'classification'?"),
    "unknown-field": (
        graph("name: n, class: Generator, user_message: '{{ text }}'", more=", output: {value: completion}"), 4,
        "'completion' is not a field, so the word itself would become the value",
    ),
    "absent-metadata": (
        graph("name: n, class: Generator, user_message: '{{ metadata.note }}'"), 5,
        "an item without `metadata.note` fails here",
    ),
    "absent-result": (
        card(
            f"name: A, {KEYWORD}",
            f"name: B, {KEYWORD}, depends_on: {{A: 'Yes'}}",
            "name: C, class: LangGraphScore, model_provider: replay, model_name: m, depends_on: [B], output: "
            "{value: n.value}, graph: [{name: n, class: Generator, user_message: \"{{ results['B'].value }}\"}]",
        ),
        6,
        "a text for which 'B' is skipped fails here",
    ),
    "refused-parameter": (
        graph(f"name: n, {ASK}, model_provider: openai, model_name: o3-mini-2025-01-31, temperature: 0"), 5,
        "openai:o3-mini-2025-01-31 fails with this `temperature`: the model refuses it",
    ),
    "never-reached": (
        graph(f"name: a, {ASK}", f"name: b, {ASK}, conditions: [{{state: a.value, value: C, node: END}}]"), 6,
        "no text meets this condition",
    ),
    "always-fails": (graph("name: n, class: LogicalClassifier, expression: text + 1"), 5, "adds a str and a int"),
    "empty-message": (graph("name: n, class: Generator, user_message: ' '"), 5, "the node fails for every text"),
    "long-prompt": (
        graph(f"name: n, class: Generator, {GPT_4}, user_message: '{'a ' * 22500}{TEXT}'"), 5,
        "the prompt alone has about 11250 tokens: openai:gpt-4 accepts 8192",
    ),
    "constant-prompt": (graph("name: n, class: Generator, user_message: x"), 5, "no prompt of the score has a var"),
    "unknown-model": (
        graph(f"name: n, {ASK}, model_provider: openai, model_name: gpt-4o-minni"), 5,
        "no known model of openai has the name 'gpt-4o-minni'; did you mean 'gpt-4o-mini'?",
    ),
    "impossible-result": (
        card(f"name: X, {KEYWORD}", f"name: B, class: CompositeScore, depends_on: [X], expression: {NEVER}"), 5,
        "'X' never has the value 'Bad'; its values are Yes, No",
    ),
    "equal-values": (card(f"name: A, {KEYWORD}, found: Yes, not_found: 'yes'"), 4, "'Yes' are the same value"),
    "literal-pattern": (card("name: A, class: KeywordClassifier, keywords: [x, refund*]"), 4, "list it in `patterns`"),
    "rejected-label": (
        card("name: A, class: SVMClassifier, data: {file: there.csv}, validation: {value: {valid_classes: [x]}}"), 4,
        "the labels to train on include 'y', not listed here",
    ),
    "missing-file": (card("name: A, class: SVMClassifier, data: {file: none.csv}"), 4, "no file 'none.csv' beside"),
    "data": (card("name: A, class: SVMClassifier, data: {file: there.csv, label: kind}"), 4, "no column 'kind'"),
    "missing-artifact": (
        card(f"name: A, class: SVMClassifier, data: {{file: there.csv}}, artifact: 'sha256:{'0' * 64}'"),
        4,
        "there is no artifact sha256:000000000000…",
    ),
    "untrained": (card("name: A, class: SVMClassifier"), 4, "neither an artifact nor labelled texts"),
}  # fmt: skip


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_finds_what_breaks_it(rule: str, tmp_path: Path) -> None:
    """A broken rule gives one finding with its name, severity, line and expectation."""
    text, line, output = CASES[rule]
    (tmp_path / "there.csv").write_text("text,label\nx,y\n")
    problems = lint(text, folder=tmp_path, store=tmp_path / "store")
    assert [(each.rule, each.severity) for each in problems] == [(rule, BY_NAME[rule].severity)]
    assert problems[0].position.line == line
    assert output in problems[0].message


def test_every_rule_has_a_case() -> None:
    """Every rule has a scorecard here that breaks it."""
    assert set(CASES) == set(BY_NAME)


def test_the_page_lists_the_rules_as_they_are() -> None:
    """docs/reference/lint.md and `plexus lint --rules` list the same rules."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \| (.+) \|$", PAGE.read_text(), re.M)
    assert rows == [(rule.name, rule.severity, rule.statement) for rule in RULES]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_break_no_rule(example: Path) -> None:
    """The examples have no errors and no warnings."""
    assert lint_file(example) == []


def test_only_errors_keep_a_card_from_loading() -> None:
    """A scorecard with an error does not load; one with warnings does."""
    import plexus

    by_lint_only = {"missing-file", "missing-artifact", "untrained", "unknown-field", "refused-parameter"}
    by_lint_only |= {"empty-message", "data"}
    for rule, (text, _, _) in CASES.items():
        if rule in by_lint_only or BY_NAME[rule].severity == "warning":
            plexus.load(text)
        else:
            with pytest.raises(plexus.PlexusError, match=r"yaml:\d+:"):
                plexus.load(text)


@pytest.mark.parametrize(
    "node",
    [
        "name: b, class: Generator, user_message: '{{ a.value }} {{ a.explanation }} {{ quote }}'",
        "name: b, class: LogicalNode, set: {one: 'len(quote)', two: 'one + 1'}",
        "name: b, class: LogicalClassifier, expression: \"a.value == 'x'\", explanation: '{{ classification }}'",
        "name: b, class: BeforeAfterSlicer, quotation: a.value",
        "name: b, class: Generator, user_message: '{% for each in quote.split() %}{{ each }}{% endfor %}'",
        "name: b, class: Generator, user_message: \"{{ metadata.get('channel') }} {{ metadata.x | default('') }}\"",
    ],
)
def test_names_of_earlier_nodes_are_defined(node: str) -> None:
    """Fields, aliases, loop variables and metadata are defined; a correct graph has no findings."""
    assert lint(graph("name: a, class: Extractor, user_message: '{{ text }}', output: {quote: value}", node)) == []


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("name: b, class: Generator, user_message: '{{ a.valu }}'", "the node 'a' has no field 'valu'; did you mean"),
        ("name: b, class: Generator, user_message: x, output: {v: a.valu}", "the node 'a' has no field 'valu'"),
        ("name: b, class: LogicalNode, set: {one: 'two', two: '1'}", "'two' is defined only later"),
        ("name: b, class: ContextExtractor, quotation: qoute", "nothing defines 'qoute'; did you mean 'quote'?"),
        ("name: b, class: LogicalClassifier, expression: 'c.value'", "'c' is defined only later, or by a node that"),
    ],
)
def test_an_undefined_name_is_reported(node: str, said: str) -> None:
    """Unknown fields, later aliases, typos and later nodes are reported by name."""
    first = "name: a, class: Extractor, user_message: '{{ text }}', output: {quote: value}"
    (problem,) = lint(graph(first, node, "name: c, class: Generator, user_message: x"))
    assert said in problem.message


def test_each_cycle_is_reported_once() -> None:
    """Every dependency on a cycle is reported with a shortest cycle, each cycle once."""
    needs = {"A": "B, C", "B": "A", "C": "B, D", "D": "A", "E": "F", "F": "G", "G": "E, A", "H": "A"}
    problems = lint(card(*(f"name: {name}, {KEYWORD}, depends_on: [{listed}]" for name, listed in needs.items())))
    assert [(each.position.line, each.message.rpartition(": ")[2]) for each in problems] == [
        (4, "A → B → A"),
        (4, "A → C → B → A"),
        (4, "A → C → D → A"),
        (8, "E → F → G → E"),
    ]
    assert {each.rule for each in problems} == {"cycle"}


def test_many_cycles_are_reported_in_bounded_time() -> None:
    """At most a hundred cycles are reported for a hundred scores that all depend on each other."""
    names = [f"S{place}" for place in range(100)]
    problems = lint(card(*(f"name: {name}, {KEYWORD}, depends_on: [{', '.join(names)}]" for name in names)))
    circles = [each.message for each in problems if each.rule == "cycle"]
    assert len(circles) == 100
    assert circles[-1].endswith("at most 100 cycles are listed")


@pytest.mark.parametrize(
    ("key", "meant"),
    [("model_provder", "model_provider"), ("provider", "model_provider"), ("name_model", "model_name")],
)
def test_a_wrong_key_suggests_the_right_one(key: str, meant: str) -> None:
    """A typo, a part of a key or its words in another order suggest the right key."""
    (problem,) = lint(graph(f"name: n, {ASK}", more=f", {key}: bedrock"))
    assert (problem.rule, problem.position.line) == ("schema", 4)
    assert f"unknown key {key!r}; did you mean {meant!r}?" in problem.message


@pytest.mark.parametrize("provider", ["bedrock", "Azure-OpenAI", "ChatAnthropic", "Replay", "aws"])
def test_every_name_of_a_provider_is_known(provider: str) -> None:
    """Providers are known in any case, with a hyphen, and by LangChain's class names."""
    assert lint(graph(f"name: n, {ASK}, model_provider: {provider}")) == []


def test_covered_classes_do_not_reach_the_next_node() -> None:
    """If the conditions cover every class, the next node cannot be reached from the node."""
    node = f"name: a, {ASK}, conditions: [{{value: A, node: c}}, {{operator: in, value: [B], node: c}}]"
    problems = lint(graph(node, f"name: b, {ASK}", f"name: c, {ASK}"))
    assert [(each.rule, each.position.line) for each in problems] == [("unreachable-node", 6)]


def run(tmp_path: Path, *options: str) -> Result:
    """Run the command on a scorecard with an error and a warning."""
    broken = tmp_path / "card.yaml"
    broken.write_text(card(f"name: A, {KEYWORD}, disabled: true", f"name: B, {KEYWORD}, negation: [no]"))
    return CliRunner().invoke(command, [str(broken), *options], standalone_mode=False)


def test_json_and_github_say_the_same(tmp_path: Path) -> None:
    """The json and github formats contain place, severity, rule and message of every problem."""
    problems = json.loads(run(tmp_path, "--format", "json").stdout)
    lines = run(tmp_path, "--format", "github").stdout.splitlines()
    assert len(problems) == len(lines) == 2
    for problem, line in zip(problems, lines, strict=True):
        place = problem["position"]
        assert line.startswith(f"::{problem['severity']} file=")
        assert f",line={place['line']},col={place['column']},title={problem['rule']}::" in line
        assert line.endswith(problem["message"])


def test_the_summary_counts_in_singular_and_plural(tmp_path: Path) -> None:
    """The last line counts scorecards, errors and warnings; a noun is plural unless its number is 1."""
    assert run(tmp_path).stderr == "1 scorecard, 1 error, 1 warning\n"
    assert CliRunner().invoke(command, [str(EXAMPLES[0])] * 2).stderr == "2 scorecards, 0 errors, 0 warnings\n"


def test_a_dash_is_standard_input() -> None:
    """`-` checks the scorecard on standard input, and reports problems as it does for a file."""
    text = card(f"name: B, {KEYWORD}, negation: [no]")
    done = CliRunner().invoke(command, ["-"], input=text, standalone_mode=False)
    assert done.return_value == 1
    assert done.stdout.startswith("-:")
    assert "negation" in done.stdout


def test_the_exit_code_follows_severity_and_strict(tmp_path: Path) -> None:
    """The exit code is 0 with warnings alone, 1 with --strict, 1 with an error."""
    assert run(tmp_path).return_value == 1
    warned = tmp_path / "warned.yaml"
    warned.write_text(CASES["unused"][0])
    results = [CliRunner().invoke(command, [str(warned), *more], standalone_mode=False) for more in ([], ["--strict"])]
    assert [each.return_value for each in results] == [0, 1]


def test_a_boolean_condition_is_refused() -> None:
    """A boolean condition on a text value is an error that suggests Yes or No."""
    computed = 'name: A, class: CompositeScore, expression: "len(text) > 3"'
    (problem,) = lint(card(computed, f"name: B, {KEYWORD}, depends_on: {{A: true}}"))
    assert (problem.rule, problem.position.line) == ("impossible-value", 5)
    assert 'expected "Yes"' in problem.message


def test_a_malformed_digest_is_reported_at_its_line(tmp_path: Path) -> None:
    """A malformed digest is an error at its line, with or without a store."""
    text = graph(f"name: a, {ASK}", more=", cassette: 'sha256:abc'")
    for store in (None, tmp_path):
        (problem,) = lint(text, folder=tmp_path, store=store)
        assert "got 'sha256:abc', expected sha256:" in problem.message
