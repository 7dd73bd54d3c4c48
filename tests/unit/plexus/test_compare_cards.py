"""`plexus compare OLD NEW --data FILE`: two scorecards on the same texts, value by value and prompt by prompt."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from plexus import importing
from plexus.commands import compare
from plexus.exceptions import InvalidData, ScoringFailed
from plexus.graph.cassette import Question, Recorder
from plexus.graph.reply import Reply
from plexus.usage import Usage

CORPUS = Path(__file__).with_name("original_cards")
TEXTS = ("I want my money back.", "The tent is lovely.", "A refund, please.")
SYSTEM = "You read calls."
CARD = """\
name: Calls
key: calls
scores:
  - name: Refund
    class: LangGraphScore
    model_provider: replay
    model_name: m
    cassette: replies.json
    graph:
      - name: ask
        class: Classifier
        valid_classes: ["Yes", "No"]
        maximum_retry_count: 0
        system_message: SYSTEM
        user_message: "Refund? {{ text }}"
  - {name: Money, class: KeywordClassifier, keywords: [money]}
  - name: Reason
    class: LangGraphScore
    model_provider: replay
    model_name: m
    cassette: replies.json
    depends_on: {Refund: "Yes"}
    graph: [{name: why, class: Generator, user_message: "Why? {{ text }}"}]
"""


def write_replies(path: Path, replies: Iterable[tuple[str, list[tuple[str, str]], str]], **parameters: object) -> None:
    """Write a cassette: (model, messages, reply) of each request, whose parameters are the same."""
    recorder = Recorder(path)
    for model, messages, content in replies:
        recorder.add(Question(model, parameters, messages), Reply(content, Usage(1, unmetered=1)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two equal cards of this library, the replies to their prompts, and three texts."""
    for name in ("old.yaml", "new.yaml"):
        (tmp_path / name).write_text(CARD.replace("SYSTEM", SYSTEM))
    (tmp_path / "texts.csv").write_text("call,text\n" + "".join(f'c-{n},"{text}"\n' for n, text in enumerate(TEXTS)))
    values = ("Yes", "No", "Yes")
    asked = [
        ("replay:m", [("system", SYSTEM), ("human", f"Refund? {text}")], value)
        for text, value in zip(TEXTS, values, strict=True)
    ]
    why = [("replay:m", [("human", f"Why? {text}")], "They say so.") for text in TEXTS]
    write_replies(tmp_path / "replies.json", [*asked, *why])
    return tmp_path


def edit_new(folder: Path, old: str, new: str) -> None:
    """Replace a text in new.yaml."""
    path = folder / "new.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def run_compare(folder: Path, *options: str, old: str = "old.yaml", new: str = "new.yaml") -> Result:
    """Compare two cards of the folder on its texts."""
    words = [str(folder / old), str(folder / new), "--data", str(folder / "texts.csv"), "--id", "call", *options]
    return CliRunner().invoke(compare.command, words, standalone_mode=False)


def by_score(result: Result, part: str = "prompts") -> Mapping[str, dict[str, Any]]:
    """Return the figures of values (`scores`) or of prompts by score."""
    return {each["score"]: each for each in json.loads(result.stdout)[part]}


def test_equal_cards_agree_in_values_and_prompts(folder: Path) -> None:
    """Every score has the same value for every text, and every node that was asked had the same prompt: exit 0."""
    result = run_compare(folder, "--json")
    assert result.return_value == 0
    assert {name: each["same"] for name, each in by_score(result, "scores").items()} == dict.fromkeys(
        ("Refund", "Money", "Reason"), len(TEXTS)
    )
    same = {"same": 3, "different": 0, "only in OLD": 0, "only in NEW": 0}
    prompts = by_score(result)
    assert prompts["Refund"] == {
        "score": "Refund", "rows": 3, "same": 3, "silent": 0, "parameters": [], "nodes": {"ask": same}, "first": []
    }  # fmt: skip
    assert (prompts["Reason"]["rows"], prompts["Reason"]["silent"]) == (2, 1)
    assert (prompts["Money"]["rows"], prompts["Money"]["silent"]) == (0, 3)


def test_a_prompt_that_differs_is_shown_as_a_diff(folder: Path) -> None:
    """A prompt without a recorded reply is compared too: its rows are counted, and the first one is printed."""
    edit_new(folder, SYSTEM, "You read chats.")
    result = run_compare(folder, "--score", "Refund")
    assert result.return_value == 1
    assert result.stdout.endswith(
        "prompts of  node  rows  same  different  only in OLD  only in NEW\n"
        "Refund      ask      3     0          3            0            0\n"
        "\n"
        "Refund, the first different prompt\n"
        "--- OLD, item c-0, node ask\n"
        "+++ NEW, item c-0, node ask\n"
        "@@ -1,4 +1,4 @@\n"
        " system:\n"
        "-  You read calls.\n"
        "+  You read chats.\n"
        " user:\n"
        "   Refund? I want my money back.\n"
    )
    assert by_score(run_compare(folder, "--score", "Refund", "--json"), "scores")["Refund"]["kinds"]["no value"] == 3


def test_another_reply_is_a_difference_of_values_with_the_same_prompts(folder: Path) -> None:
    """Each card replays its own cassette: one reply differs, so one value does, and no prompt of that score."""
    edit_new(folder, "replies.json", "other.json")
    (folder / "other.json").write_text(
        (folder / "replies.json").read_text().replace('"content": "No"', '"content": "Yes"')
    )
    result = run_compare(folder, "--json")
    assert result.return_value == 1
    assert by_score(result, "scores")["Refund"]["changes"] == [{"old": "No", "new": "Yes", "items": 1}]
    assert by_score(result)["Refund"]["same"] == len(TEXTS)
    assert by_score(result)["Reason"]["nodes"]["why"]["only in NEW"] == 1


def test_prompts_are_compared_without_a_key_a_cassette_or_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--prompts-only` renders the first prompt for each text, whatever the provider, and prints no values."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    edit_new(folder, "replay", "openai")
    (folder / "old.yaml").write_text((folder / "new.yaml").read_text())
    edit_new(folder, "    cassette: replies.json\n", "    budget: 0.01\n")
    result = run_compare(folder, "--prompts-only", "--score", "Refund", "--json")
    assert result.return_value == 0
    assert json.loads(result.stdout).keys() == {"prompts"}
    assert by_score(result)["Refund"]["same"] == len(TEXTS)
    edit_new(folder, SYSTEM, "You read chats.")
    assert run_compare(folder, "--prompts-only", "--score", "Refund").return_value == 1
    assert run_compare(folder, "--prompts-only", "--score", "Refund", "--least", "0").return_value == 0


def test_prompts_only_names_what_it_does_not_cover(folder: Path) -> None:
    """A score behind another one that asks has no prompt without replies: its rows are counted, and it fails."""
    result = run_compare(folder, "--prompts-only")
    assert result.return_value == 1
    assert "not compared, of OLD: 'Money'" in result.stderr
    assert "Reason: not compared, 3 rows without a request to a model" in result.stderr
    with pytest.raises(InvalidData, match=r"'Money': got no LangGraphScore .* next: "):
        raise run_compare(folder, "--prompts-only", "--score", "Money").exception or AssertionError


@pytest.mark.parametrize("name", ["summary-first.yaml", "refund-request.yaml", "quoted-complaint.yaml"])
def test_a_card_of_the_original_has_the_prompts_of_its_translation(name: str, folder: Path) -> None:
    """OLD is read in the original's dialect, one score a file, and NEW is what `plexus import` writes of it."""
    (folder / name).write_text((CORPUS / name).read_text())
    (folder / "new.yaml").write_text(importing.import_card(folder / name).text or "")
    result = run_compare(folder, "--prompts-only", "--json", old=name)
    assert result.return_value == 0
    (prompts,) = by_score(result).values()
    assert prompts["rows"] == prompts["same"] == len(TEXTS)


def test_a_card_of_the_original_has_the_values_of_its_translation(folder: Path) -> None:
    """With recorded replies, both cards give the same values from the same requests."""
    original = (CORPUS / "refund-request.yaml").read_text() + "cassette: shop.json\n"
    (folder / "original.yml").write_text(original)
    (folder / "new.yaml").write_text(importing.import_card(folder / "original.yml").text or "")
    system = "You read calls of an outdoor shop. Money back, in whole or in part, counts as a refund."
    question = "Does the caller ask for a refund? Think first, then end with Yes or No.\n\n{}"
    write_replies(
        folder / "shop.json",
        [
            ("openai:gpt-4o-mini-2024-07-18", [("system", system), ("human", question.format(text))], "No")
            for text in TEXTS
        ],
        temperature=0.0,
        top_p=0.03,
    )
    result = run_compare(folder, "--offline", "--json", old="original.yml")
    assert result.return_value == 0
    assert by_score(result, "scores")["Refund request"]["same"] == len(TEXTS)
    assert by_score(result)["Refund request"]["same"] == len(TEXTS)


def test_a_card_that_cannot_run_is_named(folder: Path) -> None:
    """A missing cassette is reported once, with the card that names it."""
    edit_new(folder, "replies.json", "absent.json")
    with pytest.raises(ScoringFailed, match=r"new\.yaml: no row was scored"):
        raise run_compare(folder).exception or AssertionError


def test_cards_without_a_common_score_are_refused(folder: Path) -> None:
    """Scores are paired by name, or by `--pair`; renamed ones are compared under two names."""
    (folder / "new.yaml").write_text(
        "name: C\nkey: c\nscores:\n"
        "  - {name: Cash, class: KeywordClassifier, keywords: [money]}\n"
        "  - {name: Tent, class: KeywordClassifier, keywords: [tent]}\n"
    )
    with pytest.raises(InvalidData, match=r"no score is in both files: .*next: --pair OLD_NAME NEW_NAME"):
        raise run_compare(folder).exception or AssertionError
    result = run_compare(folder, "--pair", "Money", "Cash")
    assert result.return_value == 0
    assert "comparing 'Money' with 'Cash'" in result.stderr
    with pytest.raises(InvalidData, match="got no score 'Mony'"):
        raise run_compare(folder, "--pair", "Mony", "Cash").exception or AssertionError


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["old.yaml", "results.csv", "--data", "texts.csv"], "old.yaml is a scorecard and the other file is not"),
        (["old.yaml", "results.csv"], "old.yaml is a scorecard and the other file is not"),
        (["old.yaml", "new.yaml"], "OLD and NEW are scorecards and require texts"),
        (["results.csv", "results.csv", "--data", "texts.csv"], "--data requires two scorecards"),
        (["old.yaml", "new.yaml", "--data", "texts.csv", "--old-id", "x"], "--old-id and --new-id are for files"),
    ],
)
def test_files_of_two_kinds_are_refused_with_the_next_step(
    words: list[str], problem: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One scorecard with one file of results, texts without scorecards, and scorecards without texts are misuse."""
    monkeypatch.chdir(folder)
    with pytest.raises(click.UsageError, match=problem) as caught:
        raise CliRunner().invoke(compare.command, words, standalone_mode=False).exception or AssertionError
    assert "next: " in caught.value.message


def test_options_of_another_kind_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that would have no effect is misuse."""
    monkeypatch.chdir(folder)
    for words in (
        ["a.csv", "b.csv", "--prompts-only"],
        ["a.csv", "b.csv", "--offline"],
        ["old.yaml", "new.yaml", "--data", "texts.csv", "--prompts-only", "--output", "d.csv"],
    ):
        error = CliRunner().invoke(compare.command, words, standalone_mode=False).exception
        assert isinstance(error, click.UsageError), words


def test_a_text_in_a_prompt_never_commands_the_terminal(folder: Path) -> None:
    """Control characters of a text are replaced in the printed diff, and kept in the JSON."""
    (folder / "texts.csv").write_text('call,text\nc-0,"\x1b[2Jgone"\n')
    edit_new(folder, SYSTEM, "You read chats.")
    options = ("--prompts-only", "--score", "Refund")
    assert "   Refund? \N{REPLACEMENT CHARACTER}[2Jgone\n" in run_compare(folder, *options).stdout
    assert by_score(run_compare(folder, *options, "--json"))["Refund"]["first"][-1] == "   Refund? \x1b[2Jgone"
