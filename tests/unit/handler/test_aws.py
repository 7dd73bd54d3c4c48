from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from urllib3 import HTTPHeaderDict

from handler import aws, cut_answers
from handler.exceptions import Unavailable
from handler.store import SCORE_VERSION, Store
from tests.memory.wire import Body

BODY = b'{"Item": {"id": {"S": "version-1"}}}'
CUT = {
    "body": ({"Content-Length": str(len(BODY))}, BODY[:20]),
    "whole body": ({"Content-Length": str(len(BODY))}, b""),
    "head": ({"Content-Type": "application/x-amz-json-1.0"}, b""),
}


def store(monkeypatch: pytest.MonkeyPatch, answers: Callable[[int], tuple[dict[str, str], bytes]]) -> Store:
    """The tables behind the worker's own client, whose calls are answered by their number from 1."""
    monkeypatch.setattr(cut_answers, "_PAUSE", 0.0)
    client = aws.client(boto3.session.Session("test", "test", region_name="us-west-2"), "dynamodb")
    made: list[str] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        made.append(request.url)
        headers, body = answers(len(made))
        return AWSResponse(request.url, 200, HTTPHeaderDict(headers), Body(body))

    client.meta.events.register("before-send.dynamodb", answer)
    return Store(client, "")


@pytest.mark.parametrize("cut", CUT)
def test_a_cut_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    """A record whose answer ended early at the first try is read by the second."""
    whole = ({"Content-Length": str(len(BODY))}, BODY)
    found = store(monkeypatch, lambda number: CUT[cut] if number == 1 else whole)
    assert found.score_version("version-1") == {"id": "version-1"}


@pytest.mark.parametrize("cut", CUT)
def test_an_answer_that_is_always_cut_is_a_failure_and_no_missing_record(
    monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    """After three cut answers the read fails as unavailable: nobody concludes that there is no such record."""
    asked: list[int] = []

    def answers(number: int) -> tuple[dict[str, str], bytes]:
        asked.append(number)
        return CUT[cut]

    with pytest.raises(Unavailable, match=f"read {SCORE_VERSION}: ConnectionClosedError"):
        store(monkeypatch, answers).score_version("version-1")
    assert asked == [1, 2, 3]


def test_an_answer_in_chunks_needs_no_length() -> None:
    """What comes in chunks tells its own end."""
    assert cut_answers.is_whole({"Transfer-Encoding": "chunked"}, 7)


def test_an_answer_that_has_no_content_needs_no_length() -> None:
    """A 204 without a length is whole."""
    client = boto3.session.Session("test", "test", region_name="us-west-2").client("lambda")
    cut_answers.ask_again(client, 1)
    asked: list[str] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked.append(request.url)
        return AWSResponse(request.url, 204, HTTPHeaderDict(), Body(b""))

    client.meta.events.register("before-send.lambda", answer)
    client.delete_function(FunctionName="gone")
    assert len(asked) == 1
