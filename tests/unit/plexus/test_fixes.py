"""`plexus lint --fix`: misspelt names and missing quotes are corrected in place; everything else stays as it is."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from plexus.commands.lint import command
from plexus.lint import lint
from plexus.lint.fixes import fix

CARD = """\
# Written by hand.
name: C
key: c
scores:
  - name: Mentions Refund
    class: KeywordClassifer   # a comment
    keyword: [refund]
    "negation": ['not']
  - name: B
    class: LangGraphScore
    depends_on: [Refund Mentions]
    model_provider: bedrok
    model_name: m
    graph:
      - {name: area, class: Clasifier, valid_classes: [Late, 5], user_message: "{{ text }}", edge: {node: reasons}}
      - {name: reason, class: Generator, user_message: x}
    output: {value: area.clasification}
"""
CORRECTED = """\
# Written by hand.
name: C
key: c
scores:
  - name: Mentions Refund
    class: KeywordClassifier   # a comment
    keywords: [refund]
    "negations": ['not']
  - name: B
    class: LangGraphScore
    depends_on: [Mentions Refund]
    model_provider: bedrock
    model_name: m
    graph:
      - {name: area, class: Classifier, valid_classes: [Late, "5"], user_message: "{{ text }}", edge: {node: reason}}
      - {name: reason, class: Generator, user_message: x}
    output: {value: area.classification}
"""


def test_everything_mechanical_is_corrected_in_place() -> None:
    """Keys, classes, providers, dependencies, nodes, fields and quotes are corrected, with all comments kept."""
    text, fixes = fix(CARD)
    assert text == CORRECTED
    assert lint(text) == []
    assert len(fixes) == 9


def test_a_correct_card_stays_as_it_is() -> None:
    """Without a problem there is no correction, and a second pass finds none."""
    assert fix(CORRECTED) == (CORRECTED, [])


@pytest.mark.parametrize(
    "line",
    [
        "depends_on: [Refund Late]",  # two scores are as close
        "keywordz_of_all: [x]",  # nothing is close enough
        "keyword: [x]\\n    keywords: [y]",  # the key exists already
        "validation: {value: {valid_classes: ['{{ txt }}']}}",  # not a problem
    ],
)
def test_what_is_for_the_author_to_judge_stays(line: str) -> None:
    """A correction that may be wrong, or would break the YAML, is not made."""
    line = line.replace("\\n", "\n")
    text = f"name: C\nkey: c\nscores:\n  - name: Refund Early\n    class: KeywordClassifier\n    {line}\n"
    assert fix(text) == (text, [])


def test_a_name_inside_a_template_stays() -> None:
    """Only whole keys and values are corrected: a template may mean what it says."""
    text = CORRECTED.replace("{{ text }}", "{{ txt }}")
    assert fix(text) == (text, [])


def test_the_command_corrects_files_and_says_what(tmp_path: Path) -> None:
    """`--fix` writes the file, prints each correction with its place, and lints what it wrote."""
    card = tmp_path / "card.yaml"
    card.write_text(CARD)
    result = CliRunner().invoke(command, [str(card), "--fix"], standalone_mode=False)
    assert (result.return_value, card.read_text()) == (0, CORRECTED)
    assert f"{card}:6:12: corrected 'KeywordClassifer' to 'KeywordClassifier'\n" in result.stderr
    assert "1 scorecard, 0 errors, 0 warnings" in result.stderr


def test_ends_of_lines_stay(tmp_path: Path) -> None:
    """A file from Windows keeps its line ends."""
    card = tmp_path / "card.yaml"
    card.write_bytes(CARD.replace("\n", "\r\n").encode())
    CliRunner().invoke(command, [str(card), "--fix"], standalone_mode=False)
    assert card.read_bytes() == CORRECTED.replace("\n", "\r\n").encode()


@pytest.mark.parametrize("content", ["name: [", "", "\x00"])
def test_a_file_that_is_no_card_is_only_reported(tmp_path: Path, content: str) -> None:
    """A file that does not parse stays as it is, and its problem is printed."""
    card = tmp_path / "card.yaml"
    card.write_text(content)
    result = CliRunner().invoke(command, [str(card), "--fix"], standalone_mode=False)
    assert (result.return_value, card.read_text()) == (1, content)


def test_standard_input_cannot_be_corrected() -> None:
    """`--fix -` is a misuse: there is no file to write."""
    result = CliRunner().invoke(command, ["-", "--fix"], input=CARD)
    assert result.exit_code == 2
    assert "standard input is none" in result.stderr
