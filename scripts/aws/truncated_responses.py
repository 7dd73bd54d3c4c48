"""Retry of the commands' AWS calls whose response was truncated in transit, which botocore reads as an empty one.

The worker has its own (`handler/truncated_responses.py`): the commands must work while the image's code does not.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from .backoff import generate_pauses

NO_CONTENT = 204  # has no body, and mostly no Content-Length
JSON = ("json", "rest-json")  # a truncated response in another protocol cannot be parsed, and fails by itself
FIRST_S, LONGEST_S = 0.2, 2.0


def retry_truncated(client: Any, attempts: int) -> None:
    """Make a client retry truncated responses, up to `attempts` requests in total; then ConnectionClosedError.

    Streams are left alone: they raise when they are read.
    """
    model = client.meta.service_model
    if model.resolved_protocol in JSON:
        client.meta.events.register(f"needs-retry.{model.service_id.hyphenize()}", partial(_choose_pause, attempts))


def _choose_pause(
    most: int, response: Any = None, attempts: int = 1, endpoint: Any = None, operation: Any = None, **_: Any
) -> float | None:
    """Return the seconds before the next attempt, None for a complete response; botocore's `needs-retry` handler."""
    if response is None or operation.has_streaming_output or response[0].status_code == NO_CONTENT:
        return None
    headers, length = response[0].headers, len(response[0].content)
    # urllib3 notices a missing last chunk; a response with neither header has lost the end of its headers.
    if headers.get("Transfer-Encoding") == "chunked" or headers.get("Content-Length") == str(length):
        return None
    if attempts >= most:
        from botocore.exceptions import ConnectionClosedError

        raise ConnectionClosedError(endpoint_url=endpoint.host)
    pauses = generate_pauses(FIRST_S, LONGEST_S)
    return [next(pauses) for _ in range(attempts)][-1]
