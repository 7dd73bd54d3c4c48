"""Scorecards that call the provider on the loopback interface through each official client."""

from typing import Any

import pytest

import plexus
from plexus.graph import model_call
from tests.integration.plexus.provider import Provider

TEXT = plexus.Item("It came late and I want my money back.")
#: Provider → model, path of its chat requests, environment.
CLIENTS = {
    "openai": ("gpt-4o-mini", "/v1/chat/completions"),
    "azure": ("gpt-4o-mini", "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-06-01"),
    "anthropic": ("claude-haiku-4-5", "/v1/messages"),
    "bedrock": ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "/converse"),
    "ollama": ("llama3.2", "/api/chat"),
}
ENVIRONMENT = {
    "OPENAI_API_KEY": "not-a-key",
    "ANTHROPIC_API_KEY": "not-a-key",
    "AZURE_OPENAI_API_KEY": "not-a-key",
    "OPENAI_API_VERSION": "2024-06-01",
    "AWS_ACCESS_KEY_ID": "not-a-key",
    "AWS_SECRET_ACCESS_KEY": "not-a-key",
    "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def isolate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set worthless keys, no proxy, and short pauses."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(model_call, "PAUSE_S", 0.001)


def card(found: Provider, client: str, more: str = "", asks: str = 'user_message: "Refund? {{ text }}"') -> Any:
    """Return a graph of one classifier that calls the provider through the client."""
    base = found.url if client == "openai" else found.address
    return plexus.load(
        f"""
name: C
key: c
scores:
  - name: Refund
    class: LangGraphScore
    model_provider: {client}
    model_name: "{CLIENTS[client][0]}"
    base_url: {base}
    graph:
      - name: asks
        class: YesOrNoClassifier
        {asks}
        {more}
"""
    )


def score_text(found: Provider, client: str, **more: str) -> plexus.Result:
    """Return the scorecard's result for the text."""
    return plexus.score(card(found, client, **more), "Refund", TEXT)
