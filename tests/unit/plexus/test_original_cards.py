"""A folder of cards in the original's forms: each is imported and linted, and its report is the expected one."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import plexus
from plexus import importing, lint
from plexus.exceptions import InvalidScorecard

FOLDER = Path(__file__).with_name("original_cards")
EXPECTED: dict[str, dict[str, Any]] = YAML(typ="safe").load(FOLDER.with_suffix(".yaml"))
TRANSLATED = sorted(name for name, card in EXPECTED.items() if card["verdict"] != "needs a hand")
#: Warnings that a translated card may have: the original's names are aliases of every node, and metadata and
#: results may be absent.
HARMLESS = {"output-twice", "absent-metadata", "absent-result", "strange-provider"}


def test_the_corpus_has_sixty_cards_and_every_verdict() -> None:
    """Each card of the folder is expected, and there are cards of all three verdicts."""
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(EXPECTED)
    assert len(EXPECTED) >= 60
    assert {card["verdict"] for card in EXPECTED.values()} == set(importing.VERDICTS)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_card_has_its_verdict_and_its_remarks(name: str) -> None:
    """The report has the card's verdict, and exactly the expected errors and changes, each at its line."""
    card = importing.import_card(FOLDER / name)
    remarks = [f"{each.line} {each.kind}: {each.message}" for each in card.remarks if each.kind in ("error", "changed")]
    expected = EXPECTED[name].get("remarks", [])
    assert card.verdict == EXPECTED[name]["verdict"]
    assert [remark[: len(start)] for remark, start in zip(remarks, expected, strict=True)] == expected


@pytest.mark.parametrize("name", TRANSLATED)
def test_an_imported_card_is_one_of_this_library(name: str, tmp_path: Path) -> None:
    """The written card loads without a translation, has no error, and has the scores of the card that was read.

    The hash of a score's configuration is that of all that decides its results.
    """
    text = importing.import_card(FOLDER / name).text
    assert text is not None
    (tmp_path / name).write_text(text, encoding="utf-8")
    again = importing.import_card(tmp_path / name)
    assert again.verdict == "loads as it is"
    problems = lint.lint(text, name=name)
    assert {problem.rule for problem in problems} <= HARMLESS
    written, read = plexus.load(text), plexus.load_file(FOLDER / name)
    assert [(score.name, score.configuration_hash) for score in written.scores] == [
        (score.name, score.configuration_hash) for score in read.scores
    ]


@pytest.mark.parametrize("name", sorted(EXPECTED.keys() - set(TRANSLATED)))
def test_a_card_that_needs_a_hand_does_not_load(name: str) -> None:
    """A card with an error never scores a text: the worker refuses it, with some of the reported lines."""
    with pytest.raises(InvalidScorecard) as caught:
        plexus.load_file(FOLDER / name)
    lines = {problem.position.line for problem in caught.value.problems}
    reported = {each.line for each in importing.import_card(FOLDER / name).remarks if each.kind == "error"}
    assert lines <= reported


def test_a_part_of_the_original_that_is_refused_says_what_to_write_instead() -> None:
    """Each error of the translation itself has a next step."""
    silent = [
        (name, each.message)
        for name in EXPECTED
        for each in importing.import_card(FOLDER / name).remarks
        if each.kind == "error" and "counterpart" in each.message and "next: " not in each.message
    ]
    assert silent == []
