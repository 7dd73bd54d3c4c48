"""`plexus compare OLD NEW --data FILE` of two folders: scorecards in pairs, one summary, one exit code."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from plexus.commands import compare
from plexus.exceptions import InvalidData


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two folders, `old` and `new`, and three texts."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "texts.csv").write_text("id,text\n1,a refund\n2,a gate\n3,a seat and a refund\n")
    return tmp_path


def write_card(path: Path, word: str, *, name: str = "Refunds", key: str = "refunds", score: str = "Asked") -> None:
    """Write a scorecard of one score, which finds one word."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"name: {name}\nkey: {key}\nscores: [{{name: {score}, class: KeywordClassifier, keywords: [{word}]}}]\n"
    )


def run_compare(folder: Path, *options: str) -> Result:
    """Compare the two folders on the texts."""
    words = [str(folder / "old"), str(folder / "new"), "--data", str(folder / "texts.csv"), "--id", "id", *options]
    return CliRunner().invoke(compare.command, words, standalone_mode=False)


def list_shares(result: Result) -> dict[str, float]:
    """Return the share of each score in the JSON output."""
    return {each["score"]: each["share"] for each in json.loads(result.stdout)["scores"]}


def test_equal_folders_agree_card_by_card(folder: Path) -> None:
    """Cards of the same path are compared, each score is named with its card, and the exit code is 0."""
    for side in ("old", "new"):
        write_card(folder / side / "a" / "refunds.yaml", "refund")
        write_card(folder / side / "gates.yaml", "gate", name="Gates", key="gates", score="Gates")
    result = run_compare(folder, "--json")
    assert (result.return_value, list_shares(result)) == (0, {"Refunds / Asked": 1.0, "Gates": 1.0})
    assert "2 pairs of scorecards: 2 compared, 0 not; 0 other files" in result.stderr


def test_one_difference_in_one_card_fails_the_command(folder: Path) -> None:
    """Every card is compared, and the exit code is that of the worst."""
    for side, word in (("old", "gate"), ("new", "seat")):
        write_card(folder / side / "refunds.yaml", "refund")
        write_card(folder / side / "gates.yaml", word, name="Gates", key="gates")
    result = run_compare(folder, "--json")
    assert result.return_value == 1
    assert list_shares(result) == {"Gates / Asked": pytest.approx(1 / 3), "Refunds / Asked": 1.0}


@pytest.mark.parametrize("more", [{}, {"key": "other"}], ids=["key", "name"])
def test_moved_cards_are_paired_by_what_they_are(folder: Path, more: dict[str, str]) -> None:
    """A card under another path is found by its key, else by its name."""
    write_card(folder / "old" / "one.yaml", "refund")
    write_card(folder / "new" / "x" / "two.yml", "refund", **more)
    result = run_compare(folder, "--json")
    assert (result.return_value, list_shares(result)) == (0, {"Refunds / Asked": 1.0})


def test_cards_of_one_name_are_told_apart_by_their_paths(folder: Path) -> None:
    """Two cards of the same key and name are paired by path, and named by it."""
    for side in ("old", "new"):
        write_card(folder / side / "a.yaml", "refund")
        write_card(folder / side / "b.yaml", "gate")
    assert list_shares(run_compare(folder, "--json")) == {"a.yaml / Asked": 1.0, "b.yaml / Asked": 1.0}


def test_a_card_of_one_folder_fails_unless_it_is_expected(folder: Path) -> None:
    """A card without a partner is named: exit 1, or 0 with `--common`."""
    for side in ("old", "new"):
        write_card(folder / side / "refunds.yaml", "refund")
    write_card(folder / "new" / "gates.yaml", "gate", name="Gates", key="gates")
    result = run_compare(folder)
    assert result.return_value == 1
    assert f"not compared, only in NEW: {folder / 'new' / 'gates.yaml'}" in result.stderr
    assert run_compare(folder, "--common").return_value == 0


def test_a_card_that_does_not_load_is_named_and_the_others_are_compared(folder: Path) -> None:
    """A broken card is no agreement, whatever else is allowed: exit 1 with its place and reason."""
    for side in ("old", "new"):
        write_card(folder / side / "refunds.yaml", "refund")
        (folder / side / "broken.yaml").write_text("name: X\nkey: x\nscores: [{name: Y, class: Nothing}]\n")
    result = run_compare(folder, "--json", "--common")
    assert (result.return_value, list_shares(result)) == (1, {"Refunds / Asked": 1.0})
    assert f"{folder / 'old' / 'broken.yaml'}:3:10: unknown class 'Nothing'" in result.stderr


def test_folders_without_a_common_card_are_refused(folder: Path) -> None:
    """Nothing compared is no success."""
    write_card(folder / "old" / "refunds.yaml", "refund")
    write_card(folder / "new" / "gates.yaml", "gate", name="Gates", key="gates")
    with pytest.raises(InvalidData, match="no scorecard is in both folders"):
        raise run_compare(folder).exception or AssertionError


def test_cards_without_prompts_alone_are_no_comparison_of_prompts(folder: Path) -> None:
    """With `--prompts-only`, cards that ask no model are named, and a folder of nothing else fails."""
    for side in ("old", "new"):
        write_card(folder / side / "refunds.yaml", "refund")
    result = run_compare(folder, "--prompts-only")
    assert result.return_value == 1
    assert "Refunds: not compared: 'Asked': got no LangGraphScore" in result.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["old", "texts.csv", "--data", "texts.csv"], "old is a folder and the other is not"),
        (["old", "new"], "require texts"),
        (["old", "new", "--data", "texts.csv", "--score", "Asked"], "--score and --pair are for two files"),
    ],
)
def test_options_that_folders_do_not_have_are_refused(
    words: list[str], problem: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder beside a file, without texts, or with names of scores is misuse."""
    monkeypatch.chdir(folder)
    with pytest.raises(click.UsageError, match=problem):
        raise CliRunner().invoke(compare.command, words, standalone_mode=False).exception or AssertionError
