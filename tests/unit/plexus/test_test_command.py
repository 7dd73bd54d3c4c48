"""`plexus test` runs what stands beside the scores."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plexus.commands.test import CaseResult, command, run

CARD = """
name: C
key: c
scores:
  - name: Refund
    class: KeywordClassifier
    keywords: [refund]
    tests:
      - {text: a refund, value: "Yes"}
      - {text: a refund, value: "No"}
"""


def test_what_is_not_as_expected_is_named(tmp_path: Path) -> None:
    """A failing test says scorecard, score, text, what was expected and what came, and the exit code is 1."""
    card = tmp_path / "card.yaml"
    card.write_text(CARD)
    done = CliRunner().invoke(command, [str(card), "--store", str(tmp_path / "store")], standalone_mode=False)
    assert done.return_value == 1
    assert "FAIL  card.yaml: Refund: 'a refund': expected No, got Yes" in done.output
    assert done.output.endswith("1 passed, 1 failed\n")


def test_an_error_is_no_value() -> None:
    """A text that cannot be scored fails its test with the error's kind."""
    assert not CaseResult("c", "s", "t", "Yes", "ScoringFailed: no luck").passed


DEPENDENT = """
name: C
key: c
scores:
  - name: Return
    class: KeywordClassifier
    keywords: [return]
  - name: Reason
    class: KeywordClassifier
    depends_on: {Return: "Yes"}
    default: Other
    classes: [{value: Damaged, keywords: [broken]}]
    tests:
      - {text: It is broken., results: {Return: "Yes"}, value: Damaged}
      - {text: It is broken., results: {Return: "No"}, value: skipped}
      - {text: It is broken., results: {Return: skipped}, value: skipped}
      - {text: It is broken., value: skipped}
      - {text: I return it., value: skipped}
"""


def test_results_stand_in_for_dependencies(tmp_path: Path) -> None:
    """Given values are what the score sees; without them its dependencies are scored; `skipped` can be expected."""
    card = tmp_path / "card.yaml"
    card.write_text(DEPENDENT)
    assert [one.got for one in run(card, tmp_path / "store")] == [
        "Damaged",
        "skipped",
        "skipped",
        "skipped",
        "Other",
    ]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("{text: x, results: {Retrun: 'Yes'}, value: Other}", "'Reason' does not depend on 'Retrun'; did you mean"),
        ("{text: x, value: Damagd}", "'Reason' never has the value 'Damagd'; did you mean 'Damaged'?"),
    ],
)
def test_a_test_that_cannot_pass_is_found_by_lint(test: str, said: str) -> None:
    """A result of no dependency, a value that never comes."""
    from plexus.lint import lint

    problems = lint(DEPENDENT + f"      - {test}\n")
    assert any(each.message.startswith(said) for each in problems)
    assert {each.severity for each in problems} == {"error"}
