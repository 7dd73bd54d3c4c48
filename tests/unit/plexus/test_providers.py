"""Real provider clients against a provider on the loopback interface: retries, deadlines, recording, structure."""

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import plexus
from plexus.exceptions import BudgetExceeded, DeadlineExceeded, InvalidArtifact, ScoringFailed
from plexus.graph import asking
from plexus.graph.cassette import Cassette, Question, Recorder, Reply
from tests.unit.plexus.provider import Answer, Provider, provider

NO_LIMITS = plexus.Context()
TEXT = plexus.Item("It came late and I want my money back.")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of no worth, no proxy, and short pauses."""
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(asking, "PAUSE_S", 0.001)


def card(found: Provider, more: str = "", score: str = "") -> Any:
    """A graph of one classifier that asks the provider."""
    return plexus.load(
        f"""
name: C
key: c
scores:
  - name: Refund
    class: LangGraphScore
    model_provider: openai
    model_name: gpt-4o-mini
    base_url: {found.url}
    {score}
    graph:
      - name: asks
        class: YesOrNoClassifier
        user_message: "Does it ask for a refund? {{{{ text }}}}"
        {more}
"""
    )


def scored(found: Provider, context: plexus.Context = NO_LIMITS, **more: str) -> plexus.Result:
    """The card's score of the text."""
    return plexus.score(card(found, **more), "Refund", TEXT, context=context)


def test_a_reply_is_parsed_and_paid_for() -> None:
    """Value, tokens, cost and model of one call."""
    with provider(Answer("Answer:Yes")) as found:
        result = scored(found)
    assert (result.value, result.model) == ("Yes", "openai:gpt-4o-mini")
    assert (result.usage.calls, result.usage.input_tokens, result.usage.output_tokens) == (1, 11, 3)
    assert result.cost is not None
    assert result.cost > 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_can_pass_is_asked_again(status: int) -> None:
    """Throttling and the provider's own failures, a few times."""
    with provider(Answer(status=status), Answer(status=status), Answer("Yes")) as found:
        assert scored(found).value == "Yes"
    assert len(found.requests) == 3


def test_retries_are_bounded() -> None:
    """A provider that only fails is asked three times, not twenty; the failure can pass and quotes no text."""
    with provider(Answer(status=500)) as found, pytest.raises(ScoringFailed) as caught:
        scored(found)
    assert len(found.requests) == asking.ATTEMPTS == 3
    assert caught.value.transient
    assert str(caught.value).startswith("openai:gpt-4o-mini failed: ")
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_cannot_pass_is_asked_once(status: int) -> None:
    """A wrong key or request is not better the second time."""
    with provider(Answer(status=status)) as found, pytest.raises(ScoringFailed) as caught:
        scored(found)
    assert len(found.requests) == 1
    assert not caught.value.transient
    assert "secret words" not in str(caught.value)


def test_an_unusable_reply_is_asked_for_again_a_few_times() -> None:
    """Two more tries by default, with what was wrong; then it fails, and no class is guessed."""
    with provider(Answer("Maybe.")) as found, pytest.raises(ScoringFailed, match="no usable reply in 3 calls"):
        scored(found)
    assert [len(each["messages"]) for each in found.requests] == [1, 3, 5]


def test_a_slow_provider_ends_with_the_deadline() -> None:
    """The score fails when its time is up, though the call has not come back."""
    with provider(Answer("Yes", delay_s=5)) as found:
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            scored(found, plexus.Context(deadline=began + 0.3))
        assert time.monotonic() - began < 4


def test_no_call_is_made_once_the_budget_is_spent() -> None:
    """The second node of a graph is not asked when the first spent what the item may cost."""
    second = "\n      - {name: again, class: Generator, user_message: x}"
    with provider(Answer("Yes")) as found, pytest.raises(BudgetExceeded, match="before the node 'again'"):
        scored(found, more=second, score="budget: 0.0000001")
    assert len(found.requests) == 1


def test_a_budget_needs_a_price() -> None:
    """A model whose price is not known is not asked where a budget should hold it."""
    with provider(Answer("Yes")) as found, pytest.raises(BudgetExceeded, match="the price of openai:gpt-4o-mini"):
        scored(found, plexus.Context(prices={}), score="budget: 1")
    assert found.requests == []


def test_a_budget_of_nothing_lets_nothing_be_asked() -> None:
    """0 is a budget, not the lack of one."""
    with provider(Answer("Yes")) as found, pytest.raises(BudgetExceeded, match="is spent"):
        scored(found, plexus.Context(budget=Decimal(0)))
    assert found.requests == []


def test_a_recording_costs_what_the_model_costs_that_answers(tmp_path: Path) -> None:
    """--model stands in for the card's own model in the price too."""
    context = plexus.Context(record=tmp_path / "replies.json", model="openai:gpt-4o-mini")
    with provider(Answer("Yes")) as found:
        text = card(found).document.text.replace("model_provider: openai", "model_provider: replay")
        result = plexus.score(plexus.load(text), "Refund", TEXT, context=context)
    assert result.cost is not None
    assert result.cost > 0


def test_two_recorders_of_one_file_keep_what_the_other_added(tmp_path: Path) -> None:
    """A card of two graphs has a recorder for each, and one cassette."""
    first, second = (Recorder(tmp_path / "replies.json") for _ in range(2))
    for recorder, text in ((first, "a"), (second, "b"), (first, "c")):
        recorder.add(Question("openai:x", {}, [("human", text)]), Reply(text, plexus.Usage(1)))
    assert len(Cassette.read(tmp_path / "replies.json")) == 3


def test_half_a_character_in_a_reply_is_kept(tmp_path: Path) -> None:
    """What no file can hold as it is stands escaped, and nothing is left half-written."""
    question = Question("openai:x", {}, [("human", "a")])
    Recorder(tmp_path / "replies.json").add(question, Reply("so \ud83d", plexus.Usage(1)))
    found = Cassette.read(tmp_path / "replies.json").find(question)
    assert found is not None
    assert found.content == "so \ud83d"
    assert [path.name for path in tmp_path.iterdir()] == ["replies.json"]


@pytest.mark.parametrize("content", ["text,label\n", "{}", '{"format": 2, "entries": []}'])
def test_a_recording_overwrites_no_other_file(tmp_path: Path, content: str) -> None:
    """What is no cassette is told before anything is asked."""
    (tmp_path / "items.csv").write_text(content)
    with provider(Answer("Yes")) as found, pytest.raises(InvalidArtifact, match=r"items\.csv: "):
        scored(found, plexus.Context(record=tmp_path / "items.csv"))
    assert found.requests == []
    assert (tmp_path / "items.csv").read_text() == content


@pytest.mark.parametrize("raw", [b"not json", b"{}", b'{"choices": []}'])
def test_a_malformed_answer_is_a_failure(raw: bytes) -> None:
    """What the client cannot read never becomes a value."""
    with provider(Answer(raw=raw)) as found, pytest.raises(ScoringFailed):
        scored(found)


def test_a_missing_key_is_named_and_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that is missing is told, not a traceback."""
    monkeypatch.delenv("OPENAI_API_KEY")
    with provider(Answer("Yes")) as found, pytest.raises(ScoringFailed, match="OPENAI_API_KEY"):
        scored(found)
    assert found.requests == []


def test_what_was_recorded_is_replayed(tmp_path: Path) -> None:
    """Record asks for real and keeps the reply; offline gives the same result and asks nobody; no secret is kept."""
    cassette = tmp_path / "replies.json"
    with provider(Answer("Because of the money. Yes")) as found:
        recorded = scored(found, plexus.Context(record=cassette))
        replayed = scored(found, plexus.Context(offline=True), score=f"cassette: {cassette}")
        assert len(found.requests) == 1
    assert found.keys == ["Bearer not-a-key"]
    assert "not-a-key" not in cassette.read_text()
    assert (replayed.value, replayed.explanation) == (recorded.value, recorded.explanation)
    assert replayed.usage == recorded.usage


STRUCTURED = "structured: true\n        confidence: true"


def test_a_structured_reply_keeps_to_its_schema(tmp_path: Path) -> None:
    """The provider is sent the classes as a schema; its JSON gives class, confidence and reason, replayed too."""
    reply = {"explanation": "It says so.", "classification": "Yes", "confidence": 0.9}
    cassette = tmp_path / "replies.json"
    with provider(Answer(json.dumps(reply))) as found:
        result = scored(found, plexus.Context(record=cassette), more=STRUCTURED)
        again = scored(found, plexus.Context(offline=True), more=STRUCTURED, score=f"cassette: {cassette}")
    (request,) = found.requests
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["classification"]["enum"] == ["Yes", "No"]
    assert "Confidence:" not in request["messages"][0]["content"]
    assert (result.value, result.explanation) == ("Yes", "It says so.")
    assert result.trace["nodes"]["asks"]["confidence"] == pytest.approx(0.9)
    assert (again.value, again.explanation) == (result.value, result.explanation)


def test_a_structured_reply_outside_its_schema_is_asked_for_again() -> None:
    """JSON with another class is unusable, and no class is picked out of its words."""
    wrong = {"explanation": "No, not at all: Yes?", "classification": "Maybe", "confidence": 0.9}
    right = {"explanation": "Sure.", "classification": "No", "confidence": 1}
    with provider(Answer(json.dumps(wrong)), Answer(json.dumps(right))) as found:
        assert scored(found, more=STRUCTURED).value == "No"
    assert len(found.requests) == 2


def test_a_schema_is_part_of_what_was_asked(tmp_path: Path) -> None:
    """A reply that was recorded without structure does not answer a structured question."""
    cassette = tmp_path / "replies.json"
    with provider(Answer("Yes")) as found:
        scored(found, plexus.Context(record=cassette))
        with pytest.raises(ScoringFailed, match="holds no reply"):
            scored(found, plexus.Context(offline=True), more="structured: true", score=f"cassette: {cassette}")


@pytest.mark.parametrize(
    ("name", "model", "environment"),
    [
        ("anthropic", "claude-3-5-haiku-latest", {"ANTHROPIC_API_KEY": "x"}),
        ("azure", "gpt-4o", {"AZURE_OPENAI_API_KEY": "x", "OPENAI_API_VERSION": "2024-06-01"}),
        ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", {"AWS_DEFAULT_REGION": "us-west-2"}),
        ("openai", "gpt-4o-mini", {}),
    ],
)
def test_every_provider_is_made_with_our_limits(
    name: str, model: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each provider's own client takes temperature and length, and leaves retries to us."""
    from plexus.graph.providers import Settings, live

    for key, value in {"AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:1", **environment}.items():
        monkeypatch.setenv(key, value)
    names = {"azure": "azure_openai", "bedrock": "bedrock_converse"}
    made = live(Settings(names.get(name, name), model, None, None, 0.0, 77))
    assert made.temperature == 0.0
    assert made.max_tokens == 77
    assert made.max_retries == 0


def test_ollama_is_made_with_our_limits() -> None:
    """Its client names them otherwise: length is num_predict, and the time goes to its HTTP client."""
    from plexus.graph.providers import CALL_TIMEOUT, Settings, live

    made = live(Settings("ollama", "llama3.2", None, "http://127.0.0.1:1", 0.0, 77))
    assert (made.temperature, made.num_predict, made.base_url) == (0.0, 77, "http://127.0.0.1:1")
    assert made.client_kwargs == {"timeout": CALL_TIMEOUT}


def test_a_misspelt_provider_is_told_with_those_that_there_are() -> None:
    """LangChain's own words may quote what they were given; the names of the providers help and hide nothing."""
    from plexus.graph.providers import Settings, live

    settings = Settings("opnai", "gpt-4o-mini", None, None, 0.0, 10)
    with pytest.raises(ScoringFailed, match=r"model opnai:gpt-4o-mini: ValueError; the providers here are anthropic, "):
        live(settings)


@pytest.mark.parametrize("given", ["OpenAI", "ChatOpenAI", "openai"])
def test_a_provider_is_one_however_it_is_spelt(given: str) -> None:
    """Prices and recorded replies go by its one name; one that is not known here keeps the spelling it has."""
    from plexus.graph.providers import Settings

    settings = Settings("replay", "m", None, None, 0.0, 10)
    assert settings.instead(f"{given}:gpt-4o-mini").model_id == "openai:gpt-4o-mini"
    assert settings.instead("MistralAI:small").model_id == "MistralAI:small"
