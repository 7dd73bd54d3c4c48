"""`plexus test` runs what stands beside the scores."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plexus.commands.test import Verdict, command, line, run

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "examples/scorecards").glob("*.yaml"))
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


@pytest.mark.parametrize("card", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_pass_their_own_tests(card: Path, tmp_path: Path) -> None:
    """Every example has tests, and each gives what it promises."""
    verdicts = list(run(card, tmp_path))
    assert verdicts
    assert [line(one) for one in verdicts if not one.passed] == []


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
    assert not Verdict("c", "s", "t", "Yes", "ScoringFailed: no luck").passed
