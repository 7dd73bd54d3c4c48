"""Real provider clients against a provider on the loopback interface: retries, deadlines, recording, schemas."""

import json
import os
import time
from decimal import Decimal
from pathlib import Path

import pytest

import plexus
from plexus.exceptions import BudgetExceeded, DeadlineExceeded, ScoringFailed
from plexus.graph import model_call
from tests.integration.plexus.clients import isolate
from tests.integration.plexus.provider import Answer, provider
from tests.integration.plexus.provider_cards import score_text


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


def test_a_reply_is_parsed_and_paid_for() -> None:
    """One call gives value, tokens, cost and model."""
    with provider(Answer("Answer:Yes")) as server:
        result = score_text(server)
    assert (result.value, result.model) == ("Yes", "openai:gpt-4o-mini")
    assert (result.usage.calls, result.usage.input_tokens, result.usage.output_tokens) == (1, 11, 3)
    assert result.cost is not None
    assert result.cost > 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_transient_errors_are_retried(status: int) -> None:
    """Throttling and the provider's own failures are retried."""
    with provider(Answer(status=status), Answer(status=status), Answer("Yes")) as server:
        assert score_text(server).value == "Yes"
    assert len(server.requests) == 3


def test_retries_are_bounded() -> None:
    """A provider that always fails is called three times; the failure is transient and quotes no text."""
    with provider(Answer(status=500)) as server, pytest.raises(ScoringFailed) as caught:
        score_text(server)
    assert len(server.requests) == model_call.ATTEMPTS == 3
    assert caught.value.transient
    assert str(caught.value).startswith("openai:gpt-4o-mini failed: ")
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_permanent_errors_are_not_retried(status: int) -> None:
    """A wrong key or request is not retried."""
    with provider(Answer(status=status)) as server, pytest.raises(ScoringFailed) as caught:
        score_text(server)
    assert len(server.requests) == 1
    assert not caught.value.transient
    assert "secret words" not in str(caught.value)


def test_an_unusable_reply_is_asked_for_again_a_few_times() -> None:
    """An unusable reply is asked for twice more by default, then the score fails."""
    with provider(Answer("Maybe.")) as server, pytest.raises(ScoringFailed, match="no usable reply in 3 calls"):
        score_text(server)
    assert [len(each["messages"]) for each in server.requests] == [1, 3, 5]


def test_a_slow_provider_ends_with_the_deadline() -> None:
    """The score fails at the deadline, although the call would return an hour later."""
    with provider(Answer("Yes", delay_s=3600)) as server, pytest.raises(DeadlineExceeded):
        score_text(server, plexus.Context(deadline=time.monotonic() + 0.3))


def test_no_call_is_made_once_the_budget_is_spent() -> None:
    """The second node makes no call if the first spent the item's budget."""
    second = "\n      - {name: again, class: Generator, user_message: x}"
    with provider(Answer("Yes")) as server, pytest.raises(BudgetExceeded, match="before the node 'again'"):
        score_text(server, more=second, score="budget: 0.0000001")
    assert len(server.requests) == 1


def test_a_budget_needs_a_price() -> None:
    """With a budget, a model without a known price is not called."""
    with (
        provider(Answer("Yes")) as server,
        pytest.raises(BudgetExceeded, match="no price is known for openai:"),
    ):
        score_text(server, plexus.Context(prices={}), score="budget: 1")
    assert server.requests == []


def test_a_reply_without_usage_costs_an_unknown_amount() -> None:
    """Tokens that the provider does not report are unknown: the result has no cost, and no cost of 0."""
    with provider(Answer("Yes", has_usage=False)) as server:
        result = score_text(server)
    assert (result.value, result.cost) == ("Yes", None)
    assert (result.usage.calls, result.usage.unmetered) == (1, 1)
    assert result.trace["nodes"]["asks"]["cost"] is None


def test_a_reply_without_usage_stops_a_budget() -> None:
    """Once a call has cost an unknown amount, a budget allows no other call."""
    second = "\n      - {name: again, class: Generator, user_message: x}"
    with (
        provider(Answer("Yes", has_usage=False)) as server,
        pytest.raises(BudgetExceeded, match="openai:gpt-4o-mini did not report its tokens"),
    ):
        score_text(server, more=second, score="budget: 1")
    assert len(server.requests) == 1


@pytest.mark.parametrize("more", ["", "structured: true"])
def test_a_failed_score_costs_what_its_calls_cost(more: str) -> None:
    """The error of a score has the usage and the cost of the calls before it."""
    with provider(Answer("Maybe.")) as server, pytest.raises(ScoringFailed) as caught:
        score_text(server, more=more)
    assert caught.value.spent is not None
    usage, cost = caught.value.spent
    assert usage == plexus.Usage(3, 33, 9, 24)
    # 9 new, 24 cached and 9 output tokens at 0.15, 0.075 and 0.60 dollars per million.
    assert cost == Decimal("0.00000855")


def test_the_scorecard_s_price_replaces_the_table_s() -> None:
    """`price` gives the cost of a model that the table does not have, or has another price for."""
    with provider(Answer("Yes")) as server:
        result = score_text(server, score="price: {input: 1000000, output: 0, cached: 0}")
    assert result.cost == 3


def test_a_budget_of_zero_allows_no_call() -> None:
    """A budget of 0 allows no call."""
    with provider(Answer("Yes")) as server, pytest.raises(BudgetExceeded, match="is spent"):
        score_text(server, plexus.Context(budget=Decimal(0)))
    assert server.requests == []


@pytest.mark.parametrize("more", ["", "structured: true"])
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer("One might say Yes, but in the end it", finish_reason="length"), "the reply was cut"),
        (Answer("Yes, as far", finish_reason="content_filter"), "filtered the reply"),
        (Answer("", refusal="I cannot help with that."), "refused to answer"),
        (Answer("", finish_reason="length", reasoning_tokens=3), "reasoning used all 3 output tokens"),
    ],
)
def test_an_incomplete_reply_is_a_failure_after_one_call(
    answer: Answer, problem: str, more: str, tmp_path: Path
) -> None:
    """A reply that was cut, filtered or refused fails once, is named and recorded, and fails the same when replayed."""
    cassette = tmp_path / "replies.json"
    with provider(answer) as server:
        with pytest.raises(ScoringFailed, match=problem) as caught:
            score_text(server, plexus.Context(record=cassette), more=more)
        with pytest.raises(ScoringFailed, match=problem):
            score_text(server, plexus.Context(offline=True), more=more, score=f"cassette: {cassette}")
    assert len(server.requests) == 1
    assert not caught.value.transient
    assert "help with that" not in str(caught.value)


def test_cached_and_reasoning_tokens_are_reported() -> None:
    """The usage contains the cached and the reasoning tokens that the provider reports."""
    with provider(Answer("Yes", reasoning_tokens=2)) as server:
        usage = score_text(server).usage
    assert (usage.cached_tokens, usage.reasoning_tokens) == (8, 2)


@pytest.mark.parametrize("raw", [b"not json", b"{}", b'{"choices": []}'])
def test_a_malformed_answer_is_a_failure(raw: bytes) -> None:
    """An answer that the client cannot parse is a failure."""
    with provider(Answer(raw=raw)) as server, pytest.raises(ScoringFailed):
        score_text(server)


def test_a_missing_key_is_named_and_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing API key is an error that names its variable, without a call."""
    monkeypatch.delenv("OPENAI_API_KEY")
    with provider(Answer("Yes")) as server, pytest.raises(ScoringFailed, match="OPENAI_API_KEY"):
        score_text(server)
    assert server.requests == []


STRUCTURED = "structured: true\n        confidence: true"


def test_a_structured_reply_keeps_to_its_schema(tmp_path: Path) -> None:
    """Classes are sent as a JSON Schema; the JSON reply gives class, confidence and reason, also replayed."""
    reply = {"explanation": "It says so.", "classification": "Yes", "confidence": 0.9}
    cassette = tmp_path / "replies.json"
    with provider(Answer(json.dumps(reply))) as server:
        result = score_text(server, plexus.Context(record=cassette), more=STRUCTURED)
        again = score_text(server, plexus.Context(offline=True), more=STRUCTURED, score=f"cassette: {cassette}")
    (request,) = server.requests
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["classification"]["enum"] == ["Yes", "No"]
    assert "Confidence:" not in request["messages"][0]["content"]
    assert (result.value, result.explanation) == ("Yes", "It says so.")
    assert result.trace["nodes"]["asks"]["confidence"] == pytest.approx(0.9)
    assert (again.value, again.explanation) == (result.value, result.explanation)


def test_a_structured_reply_outside_its_schema_is_asked_for_again() -> None:
    """A JSON reply with an unknown class is unusable, and no class is read from its words."""
    wrong = {"explanation": "No, not at all: Yes?", "classification": "Maybe", "confidence": 0.9}
    right = {"explanation": "Sure.", "classification": "No", "confidence": 1}
    with provider(Answer(json.dumps(wrong)), Answer(json.dumps(right))) as server:
        assert score_text(server, more=STRUCTURED).value == "No"
    assert len(server.requests) == 2


def test_a_schema_is_part_of_the_request(tmp_path: Path) -> None:
    """A reply recorded without a schema does not answer a request with one."""
    cassette = tmp_path / "replies.json"
    with provider(Answer("Yes")) as server:
        score_text(server, plexus.Context(record=cassette))
        with pytest.raises(ScoringFailed, match="has no reply"):
            score_text(server, plexus.Context(offline=True), more="structured: true", score=f"cassette: {cassette}")


def test_an_unknown_provider_is_reported_with_the_known_ones() -> None:
    """An unknown provider is an error that lists the known ones and quotes nothing else."""
    from plexus.graph.providers import Settings, create_model

    with pytest.raises(ScoringFailed, match=r"model opnai:gpt-4o-mini: ValueError; known providers: anthropic, "):
        create_model(Settings("opnai", "gpt-4o-mini"))


@pytest.mark.parametrize("given", ["OpenAI", "ChatOpenAI", "openai"])
def test_every_spelling_of_a_provider_is_one_name(given: str) -> None:
    """All spellings of a provider have one name in prices and cassettes; an unknown name is unchanged."""
    from plexus.graph.providers import Settings

    settings = Settings("replay", "m")
    assert settings.with_model(f"{given}:gpt-4o-mini").model_id == "openai:gpt-4o-mini"
    assert settings.with_model("MistralAI:small").model_id == "MistralAI:small"


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("openai", "OPENAI_API_KEY is"),
        ("anthropic", "ANTHROPIC_API_KEY is"),
        ("azure", "AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION are"),
        ("bedrock", "AWS_REGION is"),
    ],
)
def test_missing_variables_of_a_provider_are_named(name: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every client fails before its first call, and the error has the variables to set, and no value of another."""
    from plexus.graph.providers import Settings, create_model

    for variable in [each for each in os.environ if each.startswith(("OPENAI_", "ANTHROPIC_", "AZURE_", "AWS_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(ScoringFailed, match=f": {missing} not set. next: export {missing.partition(' ')[0]}=…"):
        create_model(Settings("replay", "m").with_model(f"{name}:m"))
