"""`plexus test` runs what stands beside the scores."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plexus.commands.test import CaseResult, command, run
from plexus.exceptions import UnknownScore

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


TRAINED = "name: T\nkey: t\nscores:\n  - name: Mood\n    class: SVMClassifier\n"
TESTS = "    tests: [{text: a, value: a}]\n"
PASSING = CARD.replace('      - {text: a refund, value: "No"}\n', "")


@pytest.mark.parametrize(
    ("text", "line", "failed"),
    [
        (TRAINED, "skip  below/a.yaml: no tests\n", 0),
        (CARD.partition("    tests:")[0], "skip  below/a.yaml: no tests\n", 0),
        (TRAINED + TESTS, "FAIL  below/a.yaml: InvalidData: the score 'Mood' names no labelled texts", 1),
        (TRAINED + TESTS + "    data: {file: absent.csv}\n", "FAIL  below/a.yaml: InvalidData: ", 1),
        ("name: [", "FAIL  below/a.yaml: InvalidScorecard: ", 1),
        ("\xff", "FAIL  below/a.yaml: ", 1),
    ],
)
def test_a_card_that_cannot_be_tested_stops_no_other(text: str, line: str, failed: int, tmp_path: Path) -> None:
    """It is named by its path; it fails unless it has no tests, of which nothing is trained."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.yaml").write_bytes(text.encode("latin-1"))
    (tmp_path / "z.yaml").write_text(PASSING)
    done = CliRunner().invoke(command, [str(tmp_path), "--store", str(tmp_path / "store")], standalone_mode=False)
    assert done.exception is None
    assert done.return_value == failed
    assert line in done.stdout
    assert "ok    z.yaml: Refund: 'a refund' → Yes\n" in done.stdout
    assert done.stdout.endswith(f"1 passed, {failed} failed\n")


def test_a_score_of_some_cards_is_tested_there(tmp_path: Path) -> None:
    """With `--score`, cards without that score are skipped; a score that no card has is an error."""
    (tmp_path / "a.yaml").write_text(PASSING)
    (tmp_path / "b.yaml").write_text(DEPENDENT)
    words = [str(tmp_path), "--store", str(tmp_path / "store"), "--score"]
    done = CliRunner().invoke(command, [*words, "Refund"], standalone_mode=False)
    assert (done.return_value, done.stdout.endswith("1 passed, 0 failed\n")) == (0, True)
    assert "skip  b.yaml: " in done.stdout
    assert isinstance(CliRunner().invoke(command, [*words, "Absent"], standalone_mode=False).exception, UnknownScore)
