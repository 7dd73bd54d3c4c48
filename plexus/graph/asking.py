"""One question to a model: within the deadline and the budget, with few retries and only for what can pass."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateFuture
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from plexus.context import Context
from plexus.exceptions import BudgetExceeded, DeadlineExceeded, PlexusError, ScoringFailed
from plexus.graph import prices
from plexus.graph.cassette import Question, Recorder, Reply
from plexus.graph.providers import Settings
from plexus.graph.replay import roles, shaped, text_of
from plexus.graph.state import Run
from plexus.values import Usage

ATTEMPTS = 3
PAUSE_S = 0.5
_TRANSIENT_STATUS = frozenset((408, 425, 429, 500, 502, 503, 504, 529))
_TRANSIENT_NAMES = ("Timeout", "Connection", "Throttl", "Unavailable", "Overloaded", "RateLimit")


class Asker:
    """Asks one node's model. `model` is any LangChain chat model; a replayed one answers in this thread.

    `paid` is the `provider:name` that really answers, where that is not the one of the settings.
    """

    def __init__(
        self, settings: Settings, model: Any, *, replayed: bool, recorder: Recorder | None = None, paid: str = ""
    ) -> None:
        self.settings, self.model, self.replayed, self.recorder = settings, model, replayed, recorder
        self.paid = paid or settings.model_id

    def ask(self, messages: list[BaseMessage], run: Run, shape: Mapping[str, Any] | None = None) -> str:
        """The reply's text: JSON where the provider kept to the JSON Schema `shape`.

        Raises ScoringFailed (transient or not), DeadlineExceeded or BudgetExceeded.
        """
        run.check_budget()
        price = prices.find(self.paid, run.context.prices)
        if price is None and run.budget is not None:
            raise BudgetExceeded(
                f"the price of {self.paid} is not known, so no budget can be held: take the budget out"
            )
        message = self._reply(messages, run.context, shape)
        usage, text = _usage(message), text_of(message)
        run.spend(usage, None if price is None else price.of(usage))
        if self.recorder is not None:
            parameters = {**self.settings.parameters, **shaped(shape)}
            question = Question(self.settings.model_id, parameters, roles(messages))
            self.recorder.add(question, Reply(text, usage))
        return text

    def _reply(self, messages: list[BaseMessage], context: Context, shape: Mapping[str, Any] | None) -> AIMessage:
        if self.replayed:
            context.remaining()
            answer: AIMessage = self.model.invoke(messages, **shaped(shape))
            return answer
        model = self.model if shape is None else structured_model(self.model, shape)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _message(bounded(lambda: model.invoke(messages), context))
            except PlexusError:
                raise
            except Exception as error:
                transient = is_transient(error)
                if not transient or attempt == ATTEMPTS or not _waited(attempt, context):
                    raise ScoringFailed(_described(self.settings.model_id, error), transient=transient) from error
        raise AssertionError("the last attempt returns or raises")


def structured_model(model: Any, shape: Mapping[str, Any]) -> Any:
    """The model, asked to keep to a JSON Schema; the model itself where its provider has no such mode."""
    try:
        return model.with_structured_output(dict(shape), include_raw=True)
    except (NotImplementedError, ValueError):
        return model


def _message(answer: Any) -> AIMessage:
    """What came back as one message; of a structured answer, the JSON, or the text where it did not keep to it."""
    if isinstance(answer, AIMessage):
        return answer
    raw: AIMessage = answer["raw"]
    if answer["parsed"] is None:
        return raw
    return raw.model_copy(update={"content": json.dumps(answer["parsed"], ensure_ascii=False)})


def bounded(call: Callable[[], Any], context: Context) -> Any:
    """The call's value. Raises DeadlineExceeded at the deadline, even if the call does not return then."""
    left = context.remaining()
    if left is None:
        return call()
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="plexus-call")
    try:
        return pool.submit(call).result(timeout=left)
    except LateFuture:
        context.remaining()
        raise DeadlineExceeded("the deadline passed while a model was answering") from None
    finally:
        pool.shutdown(wait=False)


def is_transient(error: BaseException) -> bool:
    """Whether asking again can help: throttling, timeouts, the provider's own failures."""
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    if status is None and isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        name = response.get("Error", {}).get("Code", "")
    else:
        name = ""
    if status in _TRANSIENT_STATUS:
        return True
    names = [kind.__name__ for kind in type(error).__mro__] + [name]
    return any(word in each for word in _TRANSIENT_NAMES for each in names) or isinstance(error, TimeoutError)


def _waited(attempt: int, context: Context) -> bool:
    """Waits before the next attempt; False when the deadline leaves no time for it."""
    pause = PAUSE_S * 2**attempt * (0.5 + secrets.randbelow(500) / 1000)
    left = context.remaining()
    if left is not None and left <= 2 * pause:
        return False
    time.sleep(pause)
    return True


def _described(model: str, error: BaseException) -> str:
    """Kind and status only: a provider's message may quote what it was sent."""
    status = getattr(error, "status_code", None)
    return f"{model} failed: {type(error).__name__}" + (f" ({status})" if status is not None else "")


def _usage(message: AIMessage) -> Usage:
    counted = message.usage_metadata
    if counted is None:
        return Usage(1)
    return Usage(1, counted.get("input_tokens", 0), counted.get("output_tokens", 0))
