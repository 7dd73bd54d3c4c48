"""Cards of one classifier that calls a provider on the loopback interface."""

from typing import Any

import plexus
from tests.integration.plexus.clients import TEXT
from tests.integration.plexus.provider import Provider

NO_LIMITS = plexus.Context()


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
