"""Each provider's official client against its protocol and its refusals, on the loopback interface."""

import pytest

from plexus.exceptions import ScoringFailed
from tests.integration.plexus.clients import CLIENTS, isolate, score_text
from tests.integration.plexus.provider import Answer, provider


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_reads_a_reply(client: str) -> None:
    """Value and tokens come from the provider's own protocol, whose path was called."""
    with provider(Answer("Yes")) as server:
        result = score_text(server, client)
    assert result.value == "Yes"
    assert (result.usage.calls, result.usage.input_tokens, result.usage.output_tokens) == (1, 11, 3)
    assert result.usage.cached_tokens == (0 if client == "ollama" else 8)
    (path,) = server.paths
    assert path.endswith(CLIENTS[client][1])


@pytest.mark.parametrize(
    ("client", "tier", "cost"),
    [
        ("openai", "default", "0.00000285"),
        ("openai", "flex", "0.000001725"),
        ("openai", "priority", "0.00000475"),
        ("openai", "a word of next year", None),
        ("anthropic", "standard", "0.0000388"),
        ("anthropic", "batch", "0.0000194"),
        ("anthropic", "priority", None),
        ("bedrock", "default", "0.00004268"),
        ("bedrock", "priority", None),
    ],
)
def test_a_call_costs_what_its_tier_and_its_cache_cost(client: str, tier: str, cost: str | None) -> None:
    """Tokens written to the cache and the tier in a reply have rates of their own; unknown rates give no cost."""
    with provider(Answer("Yes", tier=tier, hour_tokens=10)) as server:
        result = score_text(server, client)
    assert (None if result.cost is None else f"{result.cost.normalize():f}") == cost
    assert result.usage.cached_tokens == 8
    written = 0 if client == "openai" else 10
    assert (result.usage.written_tokens, result.usage.hour_tokens) == (written, written)


@pytest.mark.parametrize(
    ("client", "reason", "problem"),
    [
        ("openai", "length", "was cut"),
        ("openai", "content_filter", "filtered"),
        ("azure", "length", "was cut"),
        ("azure", "content_filter", "filtered"),
        ("anthropic", "max_tokens", "was cut"),
        ("anthropic", "refusal", "refused to answer"),
        ("anthropic", "pause_turn", "paused"),
        ("anthropic", "model_context_window_exceeded", "was cut"),
        ("bedrock", "max_tokens", "was cut"),
        ("bedrock", "content_filtered", "filtered"),
        ("bedrock", "guardrail_intervened", "filtered"),
        ("ollama", "length", "was cut"),
    ],
)
def test_every_client_s_cut_reply_is_a_failure(client: str, reason: str, problem: str) -> None:
    """A stop reason for an incomplete reply survives each client, and fails after one call."""
    answer = Answer("Yes, but", finish_reason=reason)
    with provider(answer) as server, pytest.raises(ScoringFailed, match=problem):
        score_text(server, client)
    assert len(server.requests) == 1


#: Client, answer, words of the message: refusals that no repetition can change.
PERMANENT = [
    ("openai", Answer(status=429, code="insufficient_quota"), "(429, insufficient_quota). next: check the plan"),
    ("openai", Answer(status=400, code="unsupported_value", parameter="temperature"), "`temperature` is refused"),
    ("openai", Answer(status=400, code="context_length_exceeded"), "(400, context_length_exceeded). next: shorten"),
    ("openai", Answer(status=401, code="invalid_api_key"), "(401, invalid_api_key). next: check the key"),
    ("openai", Answer(status=404, code="model_not_found"), "(404, model_not_found). next: check `model_name`"),
    ("openai", Answer(status=200, code="insufficient_quota"), "(insufficient_quota). next: check the plan"),
    ("openai", Answer(raw=b'{"error": {"message": "secret words", "code": 402}}'), "(402)"),
    ("azure", Answer(status=404, code="DeploymentNotFound"), "(404, DeploymentNotFound). next: check `model_name`"),
    ("azure", Answer(status=400, code="content_filter"), "(400, content_filter)"),
    ("anthropic", Answer(status=400, code="invalid_request_error"), "(400, invalid_request_error)"),
    ("anthropic", Answer(status=401, code="authentication_error"), "(401, authentication_error). next: check the key"),
    ("anthropic", Answer(status=402, code="billing_error"), "(402, billing_error). next: check the plan"),
    ("anthropic", Answer(status=413, code="request_too_large"), "(413, request_too_large). next: shorten"),
    ("bedrock", Answer(status=400, code="ValidationException"), "(400, ValidationException)"),
    ("bedrock", Answer(status=403, code="AccessDeniedException"), "(403, AccessDeniedException). next: check the key"),
    ("bedrock", Answer(status=400, code="ServiceQuotaExceededException"), "(400, ServiceQuotaExceededException)"),
    ("ollama", Answer(status=404), "(404)"),
    ("ollama", Answer(status=400), "(400)"),
]
TRANSIENT = [
    ("openai", Answer(status=429, code="rate_limit_exceeded")),
    ("openai", Answer(status=503)),
    ("openai", Answer(status=400, headers={"x-should-retry": "true"})),
    ("openai", Answer(status=200, code="server_error")),
    ("openai", Answer(raw=b'{"error": {"message": "secret words", "code": 503}}')),
    ("azure", Answer(status=429, code="429")),
    ("anthropic", Answer(status=429, code="rate_limit_error")),
    ("anthropic", Answer(status=529, code="overloaded_error")),
    ("anthropic", Answer(status=500, code="api_error")),
    ("bedrock", Answer(status=429, code="ThrottlingException")),
    ("bedrock", Answer(status=503, code="ServiceUnavailableException")),
    ("bedrock", Answer(status=429, code="ModelNotReadyException")),
    ("bedrock", Answer(status=424, code="ModelErrorException")),
    ("ollama", Answer(status=503)),
    ("ollama", Answer(raw=b'{"error": "secret words"}\n')),
]


ERROR_200 = b'{"type": "error", "error": {"type": "%b", "code": "%b", "message": "secret words"}}'


@pytest.mark.parametrize("more", ["", "structured: true"])
@pytest.mark.parametrize("client", ["openai", "azure", "anthropic"])
@pytest.mark.parametrize(("code", "calls"), [(b"insufficient_quota", 1), (b"overloaded_error", 3)])
def test_an_error_in_a_200_is_read_like_any_other(client: str, more: str, code: bytes, calls: int) -> None:
    """The code of an error in a response of status 200 is in the message, and decides whether it is sent again."""
    answer = Answer(raw=ERROR_200 % (code, code))
    with provider(answer) as server, pytest.raises(ScoringFailed) as caught:
        score_text(server, client, more=more)
    assert len(server.requests) == calls
    assert f"({code.decode()})" in str(caught.value)
    assert caught.value.transient == (calls > 1)


@pytest.mark.parametrize(("client", "answer", "words"), PERMANENT)
def test_a_request_that_cannot_pass_is_sent_once(client: str, answer: Answer, words: str) -> None:
    """Exhausted quotas and invalid requests are sent once; the message has the provider's code and no other word."""
    with provider(answer) as server, pytest.raises(ScoringFailed) as caught:
        score_text(server, client)
    assert len(server.requests) == 1
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not caught.value.transient


@pytest.mark.parametrize(
    ("client", "code", "message", "more", "words"),
    [
        ("anthropic", "invalid_request_error", "`temperature` may only be 1", "temperature: 0", "`temperature` is"),
        ("bedrock", "ValidationException", "The model does not support topP.", "top_p: 0.5", "`top_p` is refused"),
        ("bedrock", "ValidationException", "secret: the maxTokens is too high", "max_tokens: 9", "`max_tokens` is"),
        ("anthropic", "invalid_request_error", "about the room's temperature", "", "(400, invalid_request_error)"),
        ("ollama", "", "invalid seed for this model", "seed: 7", "`seed` is refused"),
    ],
)
def test_a_refused_parameter_is_named(client: str, code: str, message: str, more: str, words: str) -> None:
    """A parameter that was sent and is named by the refusal is in the message, with what to do."""
    refusal = Answer(status=400, code=code, message=message)
    with provider(refusal) as server, pytest.raises(ScoringFailed) as caught:
        score_text(server, client, more=more)
    assert len(server.requests) == 1
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("client", "answer"), TRANSIENT)
def test_a_transient_error_is_retried(client: str, answer: Answer) -> None:
    """Throttling and the provider's own failures are retried, whatever the protocol, also if they come in a 200."""
    with provider(answer, answer, Answer("Yes")) as server:
        assert score_text(server, client).value == "Yes"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("openai", {"Retry-After": "600"}),
        ("openai", {"Retry-After-Ms": "600000"}),
        ("openai", {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}),
        ("openai", {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}),
        (
            "anthropic",
            {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2100-01-01T00:00:00Z"},
        ),
        ("bedrock", {"Retry-After": "600"}),
    ],
)
def test_a_provider_that_asks_for_a_long_pause_is_not_asked_again(client: str, headers: dict[str, str]) -> None:
    """A pause longer than a call may wait fails at once, and the failure is transient: a later job may pass."""
    limited = Answer(status=429, headers=headers, code="ThrottlingException")
    with provider(limited, Answer("Yes")) as server, pytest.raises(ScoringFailed, match="asks to wait") as caught:
        score_text(server, client)
    assert len(server.requests) == 1
    assert caught.value.transient


def test_a_daily_limit_is_not_asked_again() -> None:
    """A limit per day fails at once, even if the provider names no pause."""
    limit = Answer(status=429, code="ThrottlingException", message="Too many tokens per day, please wait.")
    with provider(limit, Answer("Yes")) as server, pytest.raises(ScoringFailed):
        score_text(server, "bedrock")
    assert len(server.requests) == 1


@pytest.mark.parametrize("headers", [{"Retry-After": "1"}, {"Retry-After-Ms": "1000"}])
def test_a_short_pause_is_kept(headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next attempt comes no earlier than the provider asked."""
    waited: list[float] = []
    monkeypatch.setattr("plexus.graph.model_call.time.sleep", waited.append)
    with provider(Answer(status=429, headers=headers), Answer("Yes")) as server:
        assert score_text(server, "openai").value == "Yes"
    # The list also has the pauses of the provider and of other threads, which are shorter.
    assert len([seconds for seconds in waited if 1.0 <= seconds < 2.0]) == 1
