"""Scores in the original's form give what the original gives: value, explanation and prompts, with a real client."""

import io
import json
import os
from pathlib import Path
from typing import Any, Literal

import pytest
from ruamel.yaml import YAML

import plexus
from plexus import environment
from plexus.exceptions import PlexusError
from plexus.values import Result
from tests.integration.plexus.provider import Answer, provider

CASES = [
    case
    for name in ("original_cases.yaml", "insurer_cases.yaml", "airline_cases.yaml")
    for case in YAML(typ="safe").load(Path(__file__).with_name(name))
]
MODEL = {"name": "S", "model_provider": "ChatOpenAI", "model_name": "gpt-4o-mini"}
TEXT = "Good morning. I want my money back. Thank you."
SHARED = Path(__file__).resolve().parents[4] / "shared" / "cases" / "original_graphs.json"
#: Where the original has a defect, or a limit of its own: our answer, and why.
ARGUED = {
    "no score output, one Classifier": "without `output` the original's value is always No",
    "condition without node key": "the end of the graph decides the value",
    "Extractor free-form ledger not in text": "a reply that is not in the text is no passage of it",
    "Generator final no output": "without `output` the original's value is always No",
    "ContextExtractor": "the original fails",
    "MultiClass substring": "`Reddish` is not the class Red",
    "MultiClass first listed wins": "`Dark Red` is the class Dark Red, although Red is listed first",
    "Classifier parse_from_start": "the first class in the reply is No",
    "class hyphen, reply with space": "`Non Compliant` is Non-Compliant",
    "reply Answer:Yes": "`Answer:Yes` names Yes",
    "reply Yes/No": "`NO MORE REPLIES`, the last reply of that run, does not answer No",
    "missing nested metadata": "a limit of that run",
    "undefined variable": "a variable that nothing sets is a mistake",
    "results of another": "one score alone has no other scores",
    "results missing": "a limit of that run",
    "condition with int value": "the original fails",
    "provider ChatVertexAI": "the package of Google's models is not in the image; the error names it",
}
#: Where value and, unless it is named, explanation agree, and something else differs: which part, and why.
PARTLY: dict[str, tuple[Literal["explanation", "prompts", "both"], str]] = {
    "Classifier maximum_retry_count 6": ("prompts", "a retry is asked for in other words"),
    "Classifier default retries: 4th reply good": ("prompts", "a retry is asked for in other words"),
    "BeforeAfterSlicer asks the model": ("prompts", "`after` begins behind the quotation, as the import notes"),
    "FuzzyMatchClassifier targets group": ("explanation", "a match is described in other words"),
    "YesOrNo explanation_message": ("prompts", "the second request repeats the messages with their roles"),
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a worthless key, and no proxy."""
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "not-a-key")
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def run(score: dict[str, Any], replies: list[str], text: str, metadata: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Score a text; returns the result or the error, and the messages of each request."""
    with provider(*map(Answer, [*replies, "NO MORE REPLIES"])) as server:
        written = io.StringIO()
        YAML().dump({**score, "base_url": server.url}, written)
        try:
            card = plexus.load(written.getvalue())
            return plexus.score(card, card.scores[0].name, plexus.Item(text, metadata)), _messages(server.requests)
        except PlexusError as error:
            return error, _messages(server.requests)


def _messages(requests: list[dict[str, Any]]) -> list[Any]:
    roles = {"user": "human", "assistant": "ai"}
    return [
        [[roles.get(each["role"], each["role"]), each["content"]] for each in body["messages"]] for body in requests
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_score_of_the_original_gives_what_it_gives_there(case: dict[str, Any]) -> None:
    """One score in the original's form loads as it is, and has its value, explanation and prompts."""
    replies, text = case["replies"], case.get("text", TEXT)
    result, messages = run({**MODEL, **case["score"]}, replies, text, case.get("metadata", {}))
    if case["value"] is None:
        assert isinstance(result, PlexusError)
        return
    assert isinstance(result, Result), result
    assert result.value == case["value"]
    assert result.explanation == case.get("explanation", result.explanation)
    asked = [request[-1][1] for request in messages]
    assert len(asked) == len(replies)
    wanted = [message.replace("TEXT", TEXT) for message in case.get("asked", [])]
    assert [message or asked[place] for place, message in enumerate(wanted)] == asked[: len(wanted)]


def test_azure_is_asked_as_the_variables_of_the_original_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A score without a provider asks Azure at AZURE_API_BASE, with the version of AZURE_API_VERSION."""
    score = {**CASES[0]["score"], "name": "S", "model_name": "gpt-4o-mini"}
    for name in ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION"):
        monkeypatch.setenv(name, "")
    with provider(Answer("Yes")) as server:
        theirs = {"AZURE_API_KEY": "not-a-key", "AZURE_API_BASE": server.address, "AZURE_API_VERSION": "2024-02-01"}
        for name, value in theirs.items():
            monkeypatch.setenv(name, value)
        environment.adopt(os.environ)
        written = io.StringIO()
        YAML().dump(score, written)
        assert plexus.score(plexus.load(written.getvalue()), "S", plexus.Item(TEXT)).value == "Yes"
    assert server.paths == ["/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-02-01"]


@pytest.mark.skipif(
    not SHARED.exists(), reason="the recorded runs of the original are not in the repository, and not beside it"
)
def test_recorded_runs_of_the_original_agree_or_are_argued() -> None:
    """Value, explanation and every prompt are the original's, except for the differences that are argued."""
    differing, known = [], ARGUED.keys() | PARTLY.keys()
    cases = json.loads(SHARED.read_text(encoding="utf-8"))["cases"]
    assert known <= {case["id"] for case in cases}
    for case in cases:
        name, wanted = case["id"], case["original"]
        if name in ARGUED:
            continue
        result, messages = run(case["score"], case["replies"], case["text"], case.get("metadata", {}))
        part = PARTLY[name][0] if name in PARTLY else ""
        if wanted.get("fails"):
            same = isinstance(result, PlexusError)
        elif isinstance(result, Result):
            explained = (result.explanation or "") == (wanted["explanation"] or "")
            agreeing = (part not in ("explanation", "both"), part not in ("prompts", "both"))
            same = result.value == wanted["value"] and (explained, messages == wanted["prompts"]) == agreeing
        else:
            same = False
        if not same:
            differing.append((name, result, messages, wanted))
    assert differing == []
