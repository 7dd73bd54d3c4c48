"""`plexus run` where scores fail: before any row if all rows would, once for each reason, and again when asked to."""

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from plexus.commands import run
from plexus.running.run import ScoredRow, Tally
from tests.unit.plexus.test_run_command import command, files, read_refusal, table

__all__ = ["files"]
GRAPH = """name: T
key: t
scores:
  - {name: Tone, class: LangGraphScore, model_provider: replay, model_name: m, cassette: replies.json,
     graph: [{name: judge, class: Classifier, valid_classes: [Good, Bad], user_message: '{{ text }}'}]}
"""


def test_failed_rows_alone_are_scored_again(files: Path) -> None:
    """A finished file with failures keeps its journal: its message names the remedy, after which the file is healthy.

    The rows that had a value keep it, and nothing is left beside the file.
    """
    output, cassette = files / "out.csv", files / "replies.json"
    (files / "card.yaml").write_text(
        "name: T\nkey: t\nscores:\n  - {name: Refund, class: KeywordClassifier, keywords: [refund]}\n"
        "  - {name: Tone, class: LangGraphScore, model_provider: replay, model_name: m, cassette: replies.json,\n"
        "     graph: [{name: judge, class: Classifier, valid_classes: [Good, Bad], user_message: '{{ text }}'}]}\n"
    )
    (files / "texts.csv").write_text("text\ngood\nbad refund\nworse\n")
    record(cassette, {"good": "Good"})
    broken = command(files, "--output", str(output))
    assert (broken.return_value, "--retry-failed" in broken.stderr) == (1, True)
    (miss,) = [line for line in broken.stderr.splitlines() if "CassetteMiss" in line]
    assert miss.startswith("  rows 2, 3, Tone: CassetteMiss: ")
    assert "the node 'judge'" in miss
    suggested = shlex.split(miss.rpartition("next: python -m plexus run ")[2])
    with run.command.make_context("run", suggested) as context:
        assert context.params["data_file"].samefile(files / "texts.csv")
        assert context.params["card"].samefile(files / "card.yaml")
        assert (context.params["names"], context.params["model"]) == (("Tone",), "PROVIDER:NAME")
        assert context.params["record"].samefile(cassette)
    assert "--retry-failed to score only the rows that failed" in read_refusal(files, "--output", str(output))
    record(cassette, {"bad refund": "Bad", "worse": "Bad"})
    mended = command(files, "--output", str(output), "--retry-failed")
    assert (mended.exception, mended.return_value) == (None, 0)
    assert [(row["Tone"], row["Refund"]) for row in table(output)] == [("Good", "No"), ("Bad", "Yes"), ("Bad", "No")]
    assert not list(files.glob("out.csv.*"))
    assert "no row of it failed" in read_refusal(files, "--output", str(output), "--retry-failed")


@pytest.mark.parametrize("text", ["How's that?", "-no", "two\nlines", "long " * 50])
def test_a_single_text_without_a_reply_is_in_the_suggested_command(files: Path, text: str) -> None:
    """Unless it is long: the command that records a reply to it can be pasted."""
    (files / "card.yaml").write_text(GRAPH)
    record(files / "replies.json", {"another": "Good"})
    printed = CliRunner().invoke(run.command, [str(files / "card.yaml"), "--", text], standalone_mode=False).output
    suggested = shlex.split(printed.rpartition("next: python -m plexus run ")[2])
    with run.command.make_context("run", suggested) as context:
        assert context.params["text"] == ("TEXT" if text.startswith("long") else text)


@pytest.mark.parametrize(
    ("model", "cost"), [("openai, model_name: gpt-4o-mini", True), ("replay, model_name: m", False)]
)
def test_a_replayed_call_is_not_paid(files: Path, model: str, cost: bool) -> None:
    """Its price is what the provider would charge, and is printed as that."""
    (files / "card.yaml").write_text(GRAPH.replace("replay, model_name: m", model))
    (files / "texts.csv").write_text("text\ngood\n")
    record(files / "replies.json", {"good": "Good"}, "openai:gpt-4o-mini" if cost else "replay:m")
    summary = command(files, "--offline", "--score", "Tone").stderr
    assert "1 replayed model call, 1000 input and 10 output tokens, " in summary
    assert ("nothing paid (list price 0.000156 USD)" in summary) is cost
    words = [str(files / "card.yaml"), "good", "--offline"]
    printed = CliRunner().invoke(run.command, words, standalone_mode=False).output
    assert ("[calls: 1, replayed, list price 0.000156 USD]" in printed) is cost


def record(cassette: Path, replies: dict[str, str], model: str = "replay:m") -> None:
    """Add the model's replies to these texts to a cassette."""
    from plexus.graph.cassette import Question, Recorder
    from plexus.graph.reply import Reply
    from plexus.usage import Usage

    for text, reply in replies.items():
        Recorder(cassette).add(Question(model, {}, [("human", text)]), Reply(reply, Usage(1, 1000, 10)))


@pytest.mark.parametrize("options", [(), ("--output",), ("--workers", "2")])
def test_scores_that_cannot_run_are_one_error_before_any_row(
    files: Path, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing keys, models and cassettes are listed once, each with the scores that need it, and nothing is written."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    graph = "class: LangGraphScore, model_provider: openai, model_name: m, graph: [{name: a, class: YesOrNoClassifier, "
    (files / "card.yaml").write_text(
        "name: T\nkey: t\nscores:\n  - {name: Refund, class: KeywordClassifier, keywords: [refund]}\n"
        "  - {name: Tone, class: SVMClassifier, data: {file: texts.csv}}\n"
        + "".join(f"  - {{name: {name}, {graph} user_message: x}}]}}\n" for name in ("Late", "Rude"))
    )
    words = [str(files / "out.csv") if word == "" else word for word in (*options, *[""] * (options == ("--output",)))]
    done = command(files, *words)
    key = "cannot create the model openai:m: OPENAI_API_KEY is not set. next: export OPENAI_API_KEY=…"
    lines = sorted(str(done.exception).split("\n  ")[1:])
    assert lines[0] in (f"Late, Rude: {key}", f"Rude, Late: {key}")
    assert lines[1].startswith("Tone: the score 'Tone' has no trained model. next: python -m plexus train")
    assert done.stdout == ""
    assert not list(files.glob("out*"))
    assert command(files, "--score", "Refund").return_value == 1  # row 3 has no text; the others have values


def test_a_repeated_error_is_printed_once() -> None:
    """Equal errors of a score share a line with their first rows and their number; five different ones are printed."""
    tally = Tally()
    for number in range(1, 30):
        message = "no text" if number % 3 else f"reply {number}"
        outcome: dict[str, object] = {"error": "ScoringFailed", "message": message}
        tally.count(ScoredRow(row=number, id="", results={"Tone": outcome}))
    assert tally.failed == {"Tone": 29}
    assert tally.format_errors() == [
        "rows 1, 2, 4, … (20), Tone: ScoringFailed: no text",
        *(f"row {number}, Tone: ScoringFailed: reply {number}" for number in (3, 6, 9, 12)),
    ]
