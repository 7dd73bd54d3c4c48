"""Retries AWS calls whose response was truncated in transit.

botocore does not compare a response's length with its Content-Length header, and parses a JSON response that ends
early as an empty one: a record that was not read would count as missing.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ConnectionClosedError

from plexus import backoff

PAUSE = 0.2  # seconds, after the first attempt
_NO_CONTENT = 204  # has no body, and mostly no Content-Length
_JSON = ("json", "rest-json")  # a truncated response in another protocol cannot be parsed, and fails by itself


def retry_truncated(client: Any, attempts: int) -> None:
    """Make a boto3 client retry truncated responses, up to `attempts` attempts in total.

    After the last one the call raises `ConnectionClosedError`. Streaming responses are left alone: they check their
    length themselves, and raise when they are read.
    """
    model = client.meta.service_model
    if model.resolved_protocol in _JSON:
        client.meta.events.register(
            f"needs-retry.{model.service_id.hyphenize()}", partial(_retry_if_truncated, attempts)
        )


def is_complete(headers: Mapping[str, str], length: int) -> bool:
    """Return whether a body has the length in its headers. Without a length, the headers themselves were truncated."""
    if headers.get("Transfer-Encoding") == "chunked":  # urllib3 detects a missing last chunk
        return True
    return headers.get("Content-Length") == str(length)


def _retry_if_truncated(
    most: int, response: Any = None, attempts: int = 1, endpoint: Any = None, operation: Any = None, **_: Any
) -> float | None:
    """Return the pause before another attempt, or None; botocore's handler for `needs-retry` events."""
    if response is None or operation.has_streaming_output or response[0].status_code == _NO_CONTENT:
        return None
    if is_complete(response[0].headers, len(response[0].content)):
        return None
    if attempts < most:
        return backoff.pause(attempts, PAUSE)
    raise ConnectionClosedError(endpoint_url=endpoint.host)
