"""Cards of one classifier that calls a provider on the loopback interface."""

from typing import Any

import pytest

import plexus
from plexus.graph import model_call
from tests.integration.plexus.provider import Provider

NO_LIMITS = plexus.Context()
TEXT = plexus.Item("It came late and I want my money back.")


def isolate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a worthless key, no proxy, and short pauses."""
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(model_call, "PAUSE_S", 0.001)


def card(found: Provider, more: str = "", score: str = "") -> Any:
    """Return a graph of one classifier that calls the provider."""
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


def score_text(found: Provider, context: plexus.Context = NO_LIMITS, **more: str) -> plexus.Result:
    """Return the scorecard's result for the text."""
    return plexus.score(card(found, **more), "Refund", TEXT, context=context)
