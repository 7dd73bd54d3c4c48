"""Replies of a provider on the loopback interface that are recorded into a cassette, and replayed."""

from pathlib import Path

import pytest

import plexus
from plexus.exceptions import InvalidArtifact, ScoringFailed
from plexus.graph.cassette import Cassette, Question, Recorder
from plexus.graph.reply import Reply
from tests.integration.plexus.clients import TEXT, isolate
from tests.integration.plexus.provider import Answer, provider
from tests.integration.plexus.provider_cards import card, score_text


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


def test_a_recording_costs_what_the_model_costs_that_answers(tmp_path: Path) -> None:
    """While recording, the price is that of the model that answers."""
    context = plexus.Context(record=tmp_path / "replies.json", model="openai:gpt-4o-mini")
    with provider(Answer("Yes")) as server:
        text = card(server).document.text.replace("model_provider: openai", "model_provider: replay")
        result = plexus.score(plexus.load(text), "Refund", TEXT, context=context)
    assert result.cost is not None
    assert result.cost > 0


def test_a_recorded_reply_is_paid_once(tmp_path: Path) -> None:
    """A second run requests only the replies that are not recorded; with `renewed` or another model it requests all."""
    record = tmp_path / "replies.json"
    with provider(Answer("Yes")) as server:
        first, second = (score_text(server, plexus.Context(record=record)) for _ in range(2))
        assert len(server.requests) == 1
        assert (second.value, second.usage.calls, second.cost) == (first.value, 0, None)
        score_text(server, plexus.Context(record=record, renewed=True))
        score_text(server, plexus.Context(record=record, model="openai:gpt-4o"))
        assert len(server.requests) == 3
        score_text(server, plexus.Context(record=record, model="openai:gpt-4o"))
        assert len(server.requests) == 3


def test_a_recorded_failure_is_asked_for_again(tmp_path: Path) -> None:
    """A reply that was cut is recorded, and no run ends with it twice."""
    context = plexus.Context(record=tmp_path / "replies.json")
    with provider(Answer("One might say", finish_reason="length"), Answer("Yes")) as server:
        with pytest.raises(ScoringFailed):
            score_text(server, context)
        assert score_text(server, context).value == "Yes"


def test_two_recorders_of_one_file_keep_what_the_other_added(tmp_path: Path) -> None:
    """Two graphs that record into one cassette keep each other's replies."""
    first, second = (Recorder(tmp_path / "replies.json") for _ in range(2))
    for recorder, text in ((first, "a"), (second, "b"), (first, "c")):
        recorder.add(Question("openai:x", {}, [("human", text)]), Reply(text, plexus.Usage(1)))
    assert len(Cassette.read(tmp_path / "replies.json")) == 3


def test_half_a_character_in_a_reply_is_kept(tmp_path: Path) -> None:
    """A lone surrogate in a reply is recorded as an escape, and no partial file is left."""
    question = Question("openai:x", {}, [("human", "a")])
    Recorder(tmp_path / "replies.json").add(question, Reply("so \ud83d", plexus.Usage(1)))
    result = Cassette.read(tmp_path / "replies.json").find(question)
    assert result is not None
    assert result.content == "so \ud83d"
    assert [path.name for path in tmp_path.iterdir()] == ["replies.json"]


@pytest.mark.parametrize("content", ["text,label\n", "{}", '{"format": 2, "entries": []}'])
def test_a_recording_overwrites_no_other_file(tmp_path: Path, content: str) -> None:
    """Recording into a file that is not a cassette fails before any call."""
    (tmp_path / "items.csv").write_text(content)
    with provider(Answer("Yes")) as server, pytest.raises(InvalidArtifact, match=r"items\.csv: "):
        score_text(server, plexus.Context(record=tmp_path / "items.csv"))
    assert server.requests == []
    assert (tmp_path / "items.csv").read_text() == content


def test_a_recording_is_replayed(tmp_path: Path) -> None:
    """A recorded reply gives the same result offline, without a call; the cassette contains no secret."""
    cassette = tmp_path / "replies.json"
    with provider(Answer("Because of the money. Yes")) as server:
        recorded = score_text(server, plexus.Context(record=cassette))
        replayed = score_text(server, plexus.Context(offline=True), score=f"cassette: {cassette}")
        assert len(server.requests) == 1
    assert server.keys == ["Bearer not-a-key"]
    assert "not-a-key" not in cassette.read_text()
    assert (replayed.value, replayed.explanation) == (recorded.value, recorded.explanation)
    assert replayed.usage == recorded.usage
