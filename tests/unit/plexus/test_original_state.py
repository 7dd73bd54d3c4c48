"""Scores of the original whose code reads what earlier nodes and edges set, or explains only some of its results."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import plexus
from plexus import importing, lint
from plexus.commands.import_ import command
from plexus.problems import Problem

GREETING = """\
name: Greeting
graph:
  - name: fuzzy
    class: FuzzyMatchClassifier
    data_paths: [text]
    targets: {{target: welcome to the lake, threshold: 90, scorer: partial_ratio}}
    classification_mapping: {{welcome to the lake: "Yes"}}
    default_classification: "No"
    {edge}
  - name: last
    {last}
output: {{value: value, explanation: explanation}}
"""
NODE = """\
class: LogicalNode
    code: |
      def execute(context):
          greeted = {read}
          return {{"value": "polite" if greeted == "Yes" else "curt"}}
"""
CLASSIFIER = """\
class: LogicalClassifier
    code: |
      def score(parameters, input):
          return Score.Result(value=input.metadata.get("greeted"), explanation="greeted: " + input.metadata["greeted"])
"""
EDGES = (
    "edge: {node: last, output: {greeted: classification}}",
    "edge: {output: {greeted: classification}}",
    'conditions: [{value: "Yes", node: last, output: {greeted: classification}}]\n'
    '    edge: {node: last, output: {greeted: "No"}}',
)
READS = (
    "context['metadata'].get('greeted')",
    "context['metadata']['greeted']",
    "context.get('metadata', {}).get('greeted', 'No')",
    "(context.get('metadata') or {}).get('greeted')",
    "context['state'].greeted",
    "context['state'].model_dump().get('greeted')",
)


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("read", READS)
def test_code_reads_the_alias_that_an_edge_sets(edge: str, read: str) -> None:
    """An alias of an edge's or condition's `output` is part of the metadata and of the state, before the item's own."""
    card = plexus.load(GREETING.format(edge=edge, last=NODE.format(read=read)))
    for text, value in (("Welcome to the lake, sir.", "polite"), ("What?", "curt")):
        assert plexus.score(card, "Greeting", plexus.Item(text, {"greeted": "Maybe"})).value == value


@pytest.mark.parametrize("edge", EDGES)
def test_an_input_reads_the_alias_that_an_edge_sets(edge: str) -> None:
    """A node's `input` may replace the text by an alias of an edge."""
    last = NODE.format(read="context['text']").replace("    code:", "    input: {text: greeted}\n    code:")
    card = plexus.load(GREETING.format(edge=edge, last=last))
    assert plexus.score(card, "Greeting", plexus.Item("Welcome to the lake, sir.")).value == "polite"


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_to_a_node_that_became_two_leads_to_the_first(edge: str) -> None:
    """A node whose explanation is computed in a node before it is entered there by every edge."""
    card = plexus.load(GREETING.format(edge=edge, last=CLASSIFIER))
    result = plexus.score(card, "Greeting", plexus.Item("Welcome to the lake, sir."))
    assert (result.value, result.explanation) == ("Yes", "greeted: Yes")


def test_an_alias_that_only_some_paths_set_is_remarked(tmp_path: Path) -> None:
    """The report says that the score fails where no path set the alias that the code reads."""
    edge = 'conditions: [{value: "Yes", node: last, output: {greeted: classification}}]'
    (tmp_path / "a.yaml").write_text(GREETING.format(edge=edge, last=NODE.format(read=READS[0])))
    remarks = importing.import_card(tmp_path / "a.yaml").remarks
    assert any("not defined on every path" in each.message and each.kind == "changed" for each in remarks)


def test_an_output_that_only_an_edge_sets_is_kept_and_remarked(tmp_path: Path) -> None:
    """The score's `output` may name a field of the state that an edge sets, and the report says where it fails."""
    edge = "edge: {node: last, output: {reasoning: classification}}"
    text = GREETING.format(edge=edge, last=NODE.format(read="context['text']"))
    (tmp_path / "a.yaml").write_text(text.replace("explanation: explanation", "explanation: reasoning"))
    remarks = importing.import_card(tmp_path / "a.yaml").remarks
    assert any(each.message.startswith("an edge sets 'reasoning'") and each.kind == "changed" for each in remarks)
    result = plexus.score(plexus.load_file(tmp_path / "a.yaml"), "Greeting", plexus.Item("What?"))
    assert result.explanation == "No"


EXPLAINED = """\
name: Late
graph:
  - name: late
    class: LogicalClassifier
    code: |
      def score(parameters, input):
          if "late" in input.text:
              return Score.Result(value="Yes", {explanation})
          return Score.Result(value="No")
output: {{value: classification, explanation: explanation}}
"""


@pytest.mark.parametrize("explanation", ["metadata={'explanation': 'it is late'}", "explanation='it is late'"])
def test_an_explanation_of_one_branch_is_kept(explanation: str) -> None:
    """A result that the code does not explain has an empty explanation, and the other results keep theirs."""
    card = plexus.load(EXPLAINED.format(explanation=explanation))
    results = [plexus.score(card, "Late", plexus.Item(text)) for text in ("too late", "in time")]
    assert [(result.value, result.explanation or "") for result in results] == [("Yes", "it is late"), ("No", "")]


def test_a_file_on_which_the_translation_fails_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of the library in one file is an error of this file; the others are imported."""

    def fail_on_one(text: str, *, name: str) -> list[Problem]:
        if name.endswith("b.yaml"):
            raise ZeroDivisionError("of one file")
        return []

    monkeypatch.setattr(lint, "lint", fail_on_one)
    for name in ("a.yaml", "b.yaml", "c.yaml"):
        (tmp_path / name).write_text(EXPLAINED.format(explanation="explanation='x'"))
    done = CliRunner().invoke(command, [str(tmp_path)], standalone_mode=False)
    assert done.stderr == "3 files: 0 loads as it is, 2 translated, 1 needs a hand\n"
    assert "line 1: error: the translation failed: got ZeroDivisionError: of one file. next: " in done.stdout


OURS = """\
name: A
key: a
scores:
  - name: S
    class: LangGraphScore
    model_provider: ChatOpenAI
    model_name: {model}
    graph: [{{name: n, class: Classifier, valid_classes: [a, b], user_message: "{{{{ text }}}}", {more}}}]
    output: {{value: classification}}
"""


@pytest.mark.parametrize(
    ("model", "more", "is_suggested"),
    [
        ("gpt-4o", "logprobs: true", True),
        ("gpt-4o\n    processors: [{class: ExpandContractionsProcessor}]", "edge: {node: x}", True),
        ("gpt-4o", "maximum_retries: 3", False),
        ("[x]", "edge: {node: x}", False),
    ],
)
def test_the_dialect_is_suggested_for_names_of_the_original_only(
    model: str, more: str, is_suggested: bool, tmp_path: Path
) -> None:
    """Keys and classes that only the original has suggest `dialect: plexus-1`; misspellings and wrong values do not."""
    (tmp_path / "a.yaml").write_text(OURS.format(model=model, more=more))
    card = importing.import_card(tmp_path / "a.yaml")
    assert card.verdict == "needs a hand"
    assert any("next: add the line `dialect: plexus-1`" in each.message for each in card.remarks) is is_suggested


ENDS = """\
name: Price
graph:
  - {{name: a, class: Classifier, model_name: m, valid_classes: [A, B], user_message: "{{{{text}}}}", {edges}}}
"""


@pytest.mark.parametrize(
    ("edges", "remark"),
    [
        ("maximum_retry_count: 2", "without `output` the value is the classification; the original's is always `No`"),
        ("edge: {node: END, output: {value: Fail, explanation: explanation}}", None),
        (
            "conditions: [{value: A, node: END, output: {value: Pass}}], edge: {node: END, output: {value: Fail}}",
            None,
        ),
        (
            "conditions: [{value: A, node: END, output: {value: Pass}}]",
            "where no edge sets `value`, it is the classification; the original's is `No`",
        ),
        (
            "conditions: [{value: A, node: END, output: {value: Pass}}], edge: {node: END}",
            "where no edge sets `value`, it is the classification; the original's is `No`",
        ),
    ],
)
def test_the_remark_about_a_value_is_of_the_ends_that_set_none(edges: str, remark: str | None, tmp_path: Path) -> None:
    """An edge to END that sets the value sets the original's, too: the report is about the other ends only."""
    (tmp_path / "s.yaml").write_text(ENDS.format(edges=edges))
    messages = [each.message for each in importing.import_card(tmp_path / "s.yaml").remarks if each.kind == "changed"]
    assert messages == ([] if remark is None else [remark])
