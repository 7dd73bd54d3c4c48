"""`plexus compare` of two scorecards asks a provider once for each request that both make."""

import json
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from plexus.commands import compare
from tests.integration.plexus.clients import CLIENTS, isolate
from tests.integration.plexus.provider import Answer, Provider, provider

TEXTS = ("The tent leaks.", "I want my money back.", "Nobody answers.")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


def write_card(path: Path, server: Provider, client: str, question: str, more: str = "") -> Path:
    """Write a card of two nodes that ask the provider."""
    base = server.url if client == "openai" else server.address
    path.write_text(
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
      - {{name: first, class: YesOrNoClassifier, user_message: "Refund? {{{{ text }}}}"{more}}}
      - {{name: second, class: YesOrNoClassifier, user_message: "{question} {{{{ text }}}}"}}
    output: {{value: second.classification}}
"""
    )
    return path


@pytest.mark.parametrize("client", ["openai", "anthropic", "bedrock", "ollama"])
def test_a_request_of_both_cards_is_sent_once(client: str, tmp_path: Path) -> None:
    """A provider whose replies change from call to call gives both cards the same ones, and other requests are sent.

    Both cards' costs are those of all their requests.
    """
    rows = "".join(f"{number},{text}\n" for number, text in enumerate(TEXTS))
    (tmp_path / "texts.csv").write_text("call,text\n" + rows)
    answers = [Answer("Yes" if number % 2 else "No") for number in range(40)]
    with provider(*answers) as server:
        old = write_card(tmp_path / "old.yaml", server, client, "Angry?")
        same = write_card(tmp_path / "same.yaml", server, client, "Angry?")
        other = write_card(tmp_path / "other.yaml", server, client, "Furious?", ", temperature: 0.5")

        def run(new: Path) -> tuple[int, dict[str, list[dict[str, object]]]]:
            sent = len(server.requests)
            words = [str(old), str(new), "--data", str(tmp_path / "texts.csv"), "--id", "call", "--json"]
            result = CliRunner().invoke(compare.command, words, standalone_mode=False)
            assert result.exception is None, result.exception
            return len(server.requests) - sent, json.loads(result.stdout)

        sent, report = run(same)
        assert sent == 2 * len(TEXTS)
        assert report["scores"][0]["same"] == len(TEXTS)
        cost = cast("dict[str, object]", report["scores"][0]["cost"])
        assert cost["old"] == cost["new"]
        assert run(other)[0] == 4 * len(TEXTS)
