"""Answers of AWS that ended on their way: noticed by their length, and asked for again.

botocore does not compare lengths, and reads a JSON answer that ends early as one without members: a record that could
not be read would count as missing.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ConnectionClosedError

from handler import backoff

_PAUSE = 0.2  # seconds before a cut answer is asked for again
_NO_CONTENT = 204
_JSON = ("json", "rest-json")  # in other protocols an answer that is cut cannot be parsed


def ask_again(client: Any, attempts: int) -> None:
    """Let a boto3 client try again where an answer was cut, `attempts` times in all, then end with an error.

    Answers that are streams know their length themselves, and raise where they are read.
    """
    model = client.meta.service_model
    if model.resolved_protocol in _JSON:
        client.meta.events.register(f"needs-retry.{model.service_id.hyphenize()}", partial(_again_if_cut, attempts))


def is_whole(headers: Mapping[str, str], length: int) -> bool:
    """Whether an answer has the length that it states; one that states none lost its head's end."""
    if headers.get("Transfer-Encoding") == "chunked":  # urllib3 sees to its end
        return True
    return headers.get("Content-Length") == str(length)


def _again_if_cut(
    most: int, response: Any = None, attempts: int = 1, endpoint: Any = None, operation: Any = None, **_: Any
) -> float | None:
    """botocore's question whether to try again: the pause, or None."""
    if response is None or operation.has_streaming_output or response[0].status_code == _NO_CONTENT:
        return None
    if is_whole(response[0].headers, len(response[0].content)):
        return None
    if attempts < most:
        return backoff.pause(attempts, _PAUSE)
    raise ConnectionClosedError(endpoint_url=endpoint.host)
