from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from urllib3 import HTTPHeaderDict

from handler import aws, truncated_responses
from handler.exceptions import Unavailable
from handler.settings import Settings
from handler.store import Store
from handler.tables import SCORE_VERSION
from tests.memory.wire import Body

BODY = b'{"Item": {"id": {"S": "version-1"}}}'
CUT = {
    "body": ({"Content-Length": str(len(BODY))}, BODY[:20]),
    "whole body": ({"Content-Length": str(len(BODY))}, b""),
    "head": ({"Content-Type": "application/x-amz-json-1.0"}, b""),
}


def response(request: AWSPreparedRequest, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    """Return a response with urllib3's headers, which botocore passes on as they are."""
    received: Any = HTTPHeaderDict(headers)
    return AWSResponse(request.url, status, received, Body(body))


def store(monkeypatch: pytest.MonkeyPatch, answers: Callable[[int], tuple[dict[str, str], bytes]]) -> Store:
    """Return a store with the worker's own client, whose calls get the answer for their number, counted from 1."""
    monkeypatch.setattr(truncated_responses, "PAUSE", 0.0)
    client = aws.create_client(boto3.session.Session("test", "test", region_name="us-west-2"), "dynamodb")
    created: list[str] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        created.append(request.url)
        headers, body = answers(len(created))
        return response(request, 200, headers, body)

    client.meta.events.register("before-send.dynamodb", answer)
    return Store(client, "")


@pytest.mark.parametrize("cut", CUT)
def test_a_truncated_response_is_retried(monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    """If the response to the first attempt was truncated, the record is read by the second."""
    whole = ({"Content-Length": str(len(BODY))}, BODY)
    result = store(monkeypatch, lambda number: CUT[cut] if number == 1 else whole)
    assert result.score_version("version-1") == {"id": "version-1"}


@pytest.mark.parametrize("cut", CUT)
def test_a_response_that_is_always_truncated_is_unavailable(monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    """After three truncated responses the read raises `Unavailable`, and does not report a missing record."""
    asked: list[int] = []

    def answers(number: int) -> tuple[dict[str, str], bytes]:
        asked.append(number)
        return CUT[cut]

    with pytest.raises(Unavailable, match=f"read {SCORE_VERSION}: ConnectionClosedError"):
        store(monkeypatch, answers).score_version("version-1")
    assert asked == [1, 2, 3]


def test_a_chunked_response_needs_no_length() -> None:
    """A chunked response marks its own end."""
    assert truncated_responses.is_complete({"Transfer-Encoding": "chunked"}, 7)


def test_a_response_without_content_needs_no_length() -> None:
    """A 204 without a Content-Length is complete."""
    client = boto3.session.Session("test", "test", region_name="us-west-2").client("lambda")
    truncated_responses.retry_truncated(client, 1)
    asked: list[str] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked.append(request.url)
        return response(request, 204, {}, b"")

    events: Any = client.meta.events  # the stubs expect handlers that return nothing
    events.register("before-send.lambda", answer)
    client.delete_function(FunctionName="gone")
    assert len(asked) == 1


def test_all_attempts_of_a_call_fit_into_the_reserve() -> None:
    """A service that never answers costs less than the reserve, except for long polls, which SQS may hold for 20 s."""
    usual, long_poll = (vars(aws.configure_client(long_poll=value)) for value in (False, True))
    assert usual["retries"]["total_max_attempts"] * usual["read_timeout"] < Settings.reserve
    assert long_poll["read_timeout"] - usual["read_timeout"] == aws.LONGEST_POLL
