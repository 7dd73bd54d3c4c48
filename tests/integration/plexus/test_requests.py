"""Requests contain what the scorecard writes, through each provider's official client; Ctrl-C waits for none."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import plexus
from plexus.exceptions import ScoringFailed
from plexus.lint import lint
from tests.integration.plexus.clients import CLIENTS, TEXT, card, isolate, score_text
from tests.integration.plexus.provider import Answer, provider


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


VERTEX_ERROR = b'[{"error": {"code": %d, "message": "secret words", "status": "%s"}}]'


def _flatten(request: Any) -> set[str]:
    """Return the names of all members of a request at any depth; values of schemas and messages are left out."""
    if not isinstance(request, dict):
        return set()
    return {*request, *(name for value in request.values() for name in _flatten(value))}


#: Client → the protocol's name of each parameter that the provider has.
SPELLINGS: dict[str, dict[str, tuple[str, object]]] = {
    "openai": {
        "temperature: 0.5": ("temperature", 0.5),
        "max_tokens: 77": ("max_completion_tokens", 77),
        "max_completion_tokens: 77": ("max_completion_tokens", 77),
        "top_p: 0.5": ("top_p", 0.5),
        "seed: 7": ("seed", 7),
        "reasoning_effort: low": ("reasoning_effort", "low"),
        "verbosity: low": ("verbosity", "low"),
    },
    "anthropic": {
        "temperature: 0.5": ("temperature", 0.5),
        "max_tokens: 77": ("max_tokens", 77),
        "top_p: 0.5": ("top_p", 0.5),
    },
    "bedrock": {
        "temperature: 0.5": ("temperature", 0.5),
        "max_tokens: 77": ("maxTokens", 77),
        "top_p: 0.5": ("topP", 0.5),
    },
    "ollama": {
        "temperature: 0.5": ("temperature", 0.5),
        "max_tokens: 77": ("num_predict", 77),
        "top_p: 0.5": ("top_p", 0.5),
        "seed: 7": ("seed", 7),
        "reasoning_effort: low": ("think", "low"),
    },
}
SPELLINGS["azure"] = SPELLINGS["openai"]


def _find(request: dict[str, Any], name: str) -> Any:
    inner = (each for each in request.values() if isinstance(each, dict))
    return request[name] if name in request else next((found for each in inner if (found := _find(each, name))), None)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("more", ["", "temperature: null", "max_tokens: null"])
def test_what_is_not_written_is_not_sent(client: str, more: str) -> None:
    """A parameter that is not written, or null, is in no request; only Anthropic requires a limit."""
    with provider(Answer("Yes")) as server:
        score_text(server, client, more=more)
    (request,) = server.requests
    required = {"max_tokens"} if client == "anthropic" else set()
    every = {name for spellings in SPELLINGS.values() for name, _ in spellings.values()}
    assert _flatten({key: value for key, value in request.items() if value is not None}) & every == required


@pytest.mark.parametrize(("client", "more"), [(client, more) for client, each in SPELLINGS.items() for more in each])
def test_what_is_written_is_sent(client: str, more: str) -> None:
    """Each parameter is sent under the protocol's own name."""
    with provider(Answer("Yes")) as server:
        score_text(server, client, more=more)
    name, value = SPELLINGS[client][more]
    assert _find(server.requests[0], name) == value


@pytest.mark.parametrize("more", SPELLINGS["openai"])
def test_an_unknown_model_is_sent_every_parameter(more: str) -> None:
    """A model that the table lacks refuses nothing: what is written is sent, and lint has no finding about it."""
    with provider(Answer("Yes")) as server:
        text = card(server, "openai", more).document.text.replace("gpt-4o-mini", "a-model-of-next-year")
        plexus.score(plexus.load(text), "Refund", TEXT)
    name, value = SPELLINGS["openai"][more]
    assert _find(server.requests[0], name) == value
    assert [each.rule for each in lint(text) if each.rule == "refused-parameter"] == []


def test_a_node_s_null_removes_the_score_s_parameter() -> None:
    """A node that calls a model of another kind can take back what the score writes."""
    with provider(Answer("Yes")) as server:
        text = card(server, "openai", "temperature: null").document.text
        plexus.score(
            plexus.load(text.replace("model_provider", "temperature: 0.5\n    model_provider")), "Refund", TEXT
        )
    assert "temperature" not in server.requests[0]


@pytest.mark.parametrize(
    ("client", "more"), [("anthropic", "seed: 7"), ("bedrock", "verbosity: low"), ("ollama", "verbosity: low")]
)
def test_a_parameter_that_a_provider_lacks_is_a_failure(client: str, more: str) -> None:
    """A parameter that the provider's API does not have is never dropped: nothing is sent."""
    with (
        provider(Answer("Yes")) as server,
        pytest.raises(ScoringFailed, match=r"has no parameter `\w+`\. next: remove"),
    ):
        score_text(server, client, more=more)
    assert server.requests == []


@pytest.mark.parametrize("client", [client for client in CLIENTS if client != "bedrock"])
def test_a_region_is_bedrock_s_alone(client: str) -> None:
    """Another provider, such as the one that a recording asks in Bedrock's place, has no region, and answers."""
    with provider(Answer("Yes")) as server:
        assert score_text(server, client, more="model_region: eu-west-1").value == "Yes"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_lone_system_message_is_a_question(client: str) -> None:
    """A node with only `system_message` sends it as the user's message, which every provider requires."""
    with provider(Answer("Yes")) as server:
        assert score_text(server, client, asks='system_message: "Refund? {{ text }}"').value == "Yes"
    assert [message["role"] for message in server.requests[0]["messages"]] == ["user"]


@pytest.mark.parametrize("client", CLIENTS)
def test_an_empty_instruction_is_left_out(client: str) -> None:
    """A system message that is empty for a text is not sent: Anthropic and Bedrock refuse empty texts."""
    asks = "system_message: \"{{ metadata.get('note', '') }}\"\n        user_message: \"Refund? {{ text }}\""
    with provider(Answer("Yes")) as server:
        assert score_text(server, client, asks=asks).value == "Yes"
    assert [message["role"] for message in server.requests[0]["messages"]] == ["user"]
    assert not server.requests[0].get("system")


def test_an_empty_question_is_a_failure() -> None:
    """A question that is empty for a text is a failure without a call: no reply to it would mean anything."""
    with provider(Answer("Yes")) as server, pytest.raises(ScoringFailed, match="its `user_message` is empty"):
        score_text(server, "openai", asks="user_message: \"{{ metadata.get('note', '') }}\"")
    assert server.requests == []


def test_vertexai_without_its_client_names_what_works() -> None:
    """Google's client cannot be installed beside the others; lint and the failure name the protocol that works."""
    with provider(Answer("Yes")) as server:
        text = card(server, "openai").document.text.replace("model_provider: openai", "model_provider: vertexai")
        remedy = "Vertex AI speaks OpenAI's protocol: `model_provider: openai`"
        with pytest.raises(ScoringFailed, match=f"'google_vertexai' needs a package that is missing: .*{remedy}"):
            plexus.score(plexus.load(text), "Refund", TEXT)
        assert any(remedy in problem.message for problem in lint(text))


@pytest.mark.parametrize(
    ("answer", "calls", "result"),
    [
        (Answer("Yes"), 1, "Yes"),
        (Answer(status=429, raw=VERTEX_ERROR % (429, b"RESOURCE_EXHAUSTED")), 3, "(429"),
        (Answer(status=401, raw=VERTEX_ERROR % (401, b"UNAUTHENTICATED")), 1, "(401"),
        (Answer(status=400, raw=VERTEX_ERROR % (400, b"INVALID_ARGUMENT")), 1, "(400"),
        (Answer("Yes, but", finish_reason="content_filter"), 1, "filtered"),
    ],
)
def test_vertexai_is_called_in_openai_s_protocol(answer: Answer, calls: int, result: str) -> None:
    """Its path, its names of models, and its errors, which are lists; a refusal that may pass is asked for again."""
    with provider(answer) as server:
        path = "/v1/projects/p/locations/l/endpoints/openapi"
        text = card(server, "openai").document.text.replace(server.url, server.address + path)
        try:
            value = plexus.score(
                plexus.load(text.replace("gpt-4o-mini", "google/gemini-2.5-flash")), "Refund", TEXT
            ).value
        except ScoringFailed as error:
            value = str(error)
    assert result in value
    assert "secret" not in value
    assert server.paths == [f"{path}/chat/completions"] * calls
    assert server.requests[0]["model"] == "google/gemini-2.5-flash"


@pytest.mark.parametrize("verb", ["run", "evaluate"])
def test_ctrl_c_does_not_wait_for_a_provider(verb: str, tmp_path: Path) -> None:
    """An interrupted command ends while the provider still has all of its requests to answer."""
    (tmp_path / "texts.csv").write_text("text,label\n" + "It came late.,Yes\n" * 20)
    with provider(Answer("Yes", delay_s=3600)) as server:
        (tmp_path / "card.yaml").write_text(card(server, "openai").document.text)
        command = [sys.executable, "-m", "plexus", verb, "card.yaml", "--data", "texts.csv"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            limit = time.monotonic() + 120
            while not server.requests and time.monotonic() < limit and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert b"interrupted" in errors
    assert b"Traceback" not in errors
