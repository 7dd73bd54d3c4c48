"""Errors of providers' clients: whether the same request may pass later, and when; never a word of the message.

Every client has exceptions of its own, and importing all of them to compare types would be slow: what they have in
common is read from their attributes. A provider's message may quote the text, so only its code is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

# 409 is a lock timeout, 424 Bedrock's failure of a model, 529 Anthropic's "overloaded".
_TRANSIENT_STATUS = frozenset((408, 409, 424, 425, 429, 500, 502, 503, 504, 529))
_TRANSIENT_NAMES = ("Timeout", "Connection", "Throttl", "Unavailable", "Overloaded", "RateLimit", "NotReady")
_TRANSIENT_CODES = re.compile(
    r"(?i)overloaded|rate_?limit|throttl|server_?error|api_error|unavailable|timeout|timed_out|not_?ready|"
    r"resource_?exhausted|too_?many_?requests|internal|try_?again"
)
# Providers answer 429 or 503 to some of these as well, but no later request passes without a change.
_PERMANENT_CODES = re.compile(
    r"(?i)insufficient_(?:quota|balance|credit)|billing|payment|quota_?exceeded|credit|deactivated|terminated|"
    r"invalid|unsupported|not_found|permission|denied|authentication|unauthorized|context_length|too_large|"
    r"content_(?:policy|filter)|validation"
)
# The pause for a daily limit whose reset is not reported: longer than any call waits, so that the caller fails at once.
_LONG = 3600.0
_DAILY = re.compile(r"(?i)per[ _-]?day|daily|per[ _-]?month|monthly")
# A code is one word. Anything longer may be a sentence, which may quote the text.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_PARAMETER = re.compile(r"[a-z][a-z0-9_.]{0,39}")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_REMEDIES = (
    (re.compile(r"(?i)quota|billing|credit|balance|payment"), "check the plan and the billing of the account"),
    (re.compile(r"(?i)context_length|too_large"), "shorten the text, for example with a processor"),
    (re.compile(r"(?i)model.?not.?found|deployment.?not.?found"), "check `model_name`"),
    (re.compile(r"(?i)credentials"), "sign in to AWS, or set its keys in the environment"),
    (re.compile(r"(?i)api_key|authentication|unauthorized|permission|denied"), "check the key and its permissions"),
)


class ErrorInBody(Exception):
    """Raised for a response of status 200 whose body is an error; `body` is its content."""

    def __init__(self, body: Mapping[str, object]) -> None:
        super().__init__("a response of status 200 has an error")
        self.body = body


class _Response(Protocol):
    """As much of an httpx response as is read here."""

    status_code: int

    def read(self) -> bytes: ...
    def json(self) -> object: ...


def watch_bodies(model: object) -> None:
    """Make OpenAI's or Anthropic's client raise ErrorInBody; they would fail with a TypeError at the missing reply.

    Gateways answer with status 200 before they know whether the provider behind them succeeds. Ollama's client reports
    such errors itself, and Bedrock sends none.
    """
    sdk = getattr(model, "root_client", None) or getattr(model, "_client", None)
    client = getattr(sdk, "_client", None)
    if client is not None and hasattr(client, "event_hooks"):
        client.event_hooks = {"response": [_check_body]}


def _check_body(response: _Response) -> None:
    if response.status_code != 200:
        return
    response.read()
    try:
        body = response.json()
    except ValueError:
        return
    if isinstance(body, Mapping) and body.get("error"):
        raise ErrorInBody(body)


@dataclass(frozen=True)
class ProviderError:
    """What a client's exception reports.

    `kind` is its class's name, `status` the HTTP status, `code` the provider's own word for the error and `parameter`
    the request's member that it rejects; None or empty if not reported. `retry_after` is the number of seconds that
    the provider asks to wait.
    """

    kind: str
    status: int | None
    code: str
    parameter: str
    is_transient: bool
    retry_after: float | None

    def __str__(self) -> str:
        details = [*([str(self.status)] if self.status is not None else []), *([self.code] if self.code else [])]
        text = self.kind + (f" ({', '.join(details)})" if details else "")
        if self.retry_after is not None and self.retry_after > 1:
            text += f"; it asks to wait {self.retry_after:.0f} s"
        if self.parameter:
            return f"{text}: `{self.parameter}` is refused. next: change or remove it in the scorecard"
        remedy = next((remedy for pattern, remedy in _REMEDIES if pattern.search(f"{self.kind} {self.code}")), "")
        return f"{text}. next: {remedy}" if remedy else text


def read_error(error: BaseException, sent: Iterable[str] = ()) -> ProviderError:
    """Read an exception of a provider's client, or of the connection to it; `sent` are the request's parameters."""
    error = next((cause for cause in _list_causes(error) if isinstance(cause, ErrorInBody)), error)
    bodies = list(_find_bodies(error))
    code = _find_word(bodies, ("code", "Code", "type", "status", "reason"), _CODE)
    headers = _find_headers(error)
    status = _find_status(error, bodies)
    pause = find_pause(headers)
    if any(_DAILY.search(str(body.get(key) or "")) for body in bodies for key in ("message", "Message")):
        pause = max(pause or 0.0, _LONG)
    return ProviderError(
        type(error).__name__,
        status,
        code,
        _find_word(bodies, ("param",), _PARAMETER) or _find_mention(error, status, sent),
        _is_transient(error, status, bodies, headers),
        pause,
    )


def find_pause(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that a response's headers ask to wait, None if they ask for nothing.

    `Retry-After` may be seconds or a date. Without it, exhausted rate limits count, as OpenAI and Anthropic send them.
    """
    now = now or datetime.now(UTC)
    milliseconds = _to_number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    pause = _to_seconds(headers.get("retry-after", ""), now)
    if pause is not None:
        return pause
    resets = []
    for name, value in headers.items():
        if "ratelimit" in name and "reset" in name and headers.get(name.replace("reset", "remaining"), "") == "0":
            resets.append(_to_seconds(value, now))
    return max((seconds for seconds in resets if seconds is not None), default=None)


def _to_seconds(text: str, now: datetime) -> float | None:
    """Convert `30`, `6m0s`, `20ms`, a Unix time, an HTTP date or an ISO timestamp to seconds from now."""
    number = _to_number(text)
    if number is not None:
        # Some gateways send the moment, in seconds or milliseconds since 1970.
        moment = number / 1000 if number > 1e12 else number
        return max(0.0, moment - now.timestamp()) if moment > 1e9 else number
    spans = _SPAN.findall(text)
    if spans and _SPAN.sub("", text) == "":
        return sum(float(value) * _SECONDS[unit] for value, unit in spans)
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = parse(text)
        except ValueError:
            continue
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
    return None


def _to_number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d+(?:\.\d+)?", text.strip()) else None


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception's causes: the clients wrap, some of them twice, what is raised while they read a response."""
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _find_bodies(error: BaseException) -> Iterator[Mapping[str, object]]:
    """Yield the error objects of a response: OpenAI's and Anthropic's body, botocore's response, an error in a 200."""
    response = getattr(error, "response", None)
    for body in (getattr(error, "body", None), response, *error.args):
        if not isinstance(body, Mapping):
            continue
        inner = body.get("error", body.get("Error"))
        yield from (part for part in (inner, body) if isinstance(part, Mapping))


def _find_word(bodies: list[Mapping[str, object]], keys: tuple[str, ...], shape: re.Pattern[str]) -> str:
    for key in keys:
        for body in bodies:
            word = body.get(key)
            if isinstance(word, str) and word != "error" and shape.fullmatch(word):
                return word
    return ""


def _find_mention(error: BaseException, status: int | None, sent: Iterable[str]) -> str:
    """Return the parameter that the message of a refused request names, if it is one that was sent."""
    if status not in (400, 422) and not (status is None and isinstance(error, ValueError)):
        return ""
    folded = str(error).casefold().replace("_", "")
    return next((name for name in sent if re.search(rf"\b{name.replace('_', '')}\b", folded)), "")


def _find_status(error: BaseException, bodies: list[Mapping[str, object]]) -> int | None:
    """Return the status of the response; an error in a 200 may have the status that was meant as its code."""
    metadata = next((body["ResponseMetadata"] for body in bodies if "ResponseMetadata" in body), None)
    status = metadata.get("HTTPStatusCode") if isinstance(metadata, Mapping) else getattr(error, "status_code", None)
    meant = [body.get(key) for body in bodies for key in ("code", "status")]
    numbers = [int(str(code)) for code in (status, *meant) if re.fullmatch(r"[1-5]\d\d", str(code))]
    return next((number for number in numbers if number >= 400), numbers[0] if numbers else None)


def _find_headers(error: BaseException) -> dict[str, str]:
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        metadata = response.get("ResponseMetadata")
        headers = metadata.get("HTTPHeaders") if isinstance(metadata, Mapping) else None
    else:
        headers = getattr(response, "headers", None)
    items = getattr(headers, "items", None)
    return {str(name).lower(): str(value) for name, value in items()} if items is not None else {}


def _is_transient(
    error: BaseException, status: int | None, bodies: list[Mapping[str, object]], headers: Mapping[str, str]
) -> bool:
    for key in ("code", "Code", "type", "status"):
        for word in (str(body[key]) for body in bodies if isinstance(body.get(key), str)):
            if _TRANSIENT_CODES.search(word):
                return True
            if _PERMANENT_CODES.search(word):
                return False
    if headers.get("x-should-retry") in ("true", "false"):
        return headers["x-should-retry"] == "true"
    if status is not None and status >= 400:
        return status in _TRANSIENT_STATUS
    # Ollama reports a failure during its answer with the status -1: its runner stopped, and is started again.
    names = [kind.__name__ for kind in type(error).__mro__]
    is_known = any(word in name for word in _TRANSIENT_NAMES for name in names) or isinstance(error, TimeoutError)
    return is_known or getattr(error, "status_code", None) == -1
