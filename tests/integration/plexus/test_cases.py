"""Replies, numbers, passages and keywords that once went wrong, from files outside the checkout, through the library.

The cases that matter are also in the unit tests, in the project's own words.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import plexus
from plexus.exceptions import ScoringFailed
from tests.integration.plexus.provider import Answer, provider

ROOT = Path(__file__).resolve().parents[3]
#: What the message of a failure says for each `error` of the files.
ERRORS = {"cut": "cut|reasoning used all", "filtered": "filtered", "no class": "no usable reply"}
Case = dict[str, Any]


def cases(kind: str) -> list[Any]:
    """Return the cases of one file as parameters; a single skipped one where there is no such file."""
    file = next((file for place in ROOT.parents if (file := place / f"shared/cases/{kind}.jsonl").is_file()), None)
    if file is None:
        reason = f"shared/cases/{kind}.jsonl is not in the repository, and not beside it"
        return [pytest.param({}, marks=pytest.mark.skip(reason=reason))]
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a worthless key, and no proxy."""
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def score_case(case: Case, node: dict[str, object], text: str = "A text.") -> str:
    """Return the value of a graph with this node, whose model always gives the case's reply."""
    with provider(Answer(case["reply"], finish_reason=case.get("finish_reason", ""))) as server:
        model = {"model_provider": "openai", "model_name": "gpt-4o-mini", "base_url": server.url}
        graph = [{"name": "n", "user_message": "{{ text }}", **node}]
        score = {"name": "S", "class": "LangGraphScore", **model, "graph": graph}
        card = plexus.load(json.dumps({"name": "C", "key": "c", "scores": [score]}))
        return plexus.score(card, "S", plexus.Item(text)).value


@pytest.mark.parametrize("case", cases("replies"))
def test_a_reply_gives_its_class_or_fails(case: Case) -> None:
    """The class is the right one, or the failure names what is wrong with the reply."""
    node = {"class": "Classifier", "valid_classes": case["classes"]}
    node["parse_from_start"] = case.get("parse_from_start", False)
    if "error" in case:
        with pytest.raises(ScoringFailed, match=ERRORS[case["error"]]):
            score_case(case, node)
    else:
        assert score_case(case, node) == case["value"]


@pytest.mark.parametrize("case", cases("numbers"))
def test_a_reply_gives_its_number(case: Case) -> None:
    """The number is the one that the reply gives, and no scale, reason or thought."""
    assert score_case(case, {"class": "NumericClassifier"}) == case["value"]


@pytest.mark.parametrize("case", cases("passages"))
def test_a_passage_is_the_text_s_own(case: Case) -> None:
    """The passage is spelt as in the text."""
    assert score_case(case, {"class": "Extractor"}, case["text"]) == case["value"]


@pytest.mark.parametrize("case", cases("keywords"))
def test_a_keyword_is_found_as_a_whole_word(case: Case) -> None:
    """Folding finds a keyword in every spelling, and in no longer word."""
    score = {"name": "S", "class": "KeywordClassifier", "keywords": [case["keyword"]]}
    card = plexus.load(json.dumps({"name": "C", "key": "c", "scores": [score]}))
    assert plexus.score(card, "S", plexus.Item(case["text"])).value == case["value"]
