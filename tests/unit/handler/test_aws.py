from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from urllib3 import HTTPHeaderDict

from handler import aws
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
    monkeypatch.setattr(aws, "_PAUSE", 0.0)
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
    assert aws.is_whole({"Transfer-Encoding": "chunked"}, 7)
