"""One call to a model, within the deadline and the budget; only transient errors are retried, twice at most."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from plexus import backoff, prices
from plexus.context import Context
from plexus.exceptions import BudgetExceeded, CassetteMiss, DeadlineExceeded, PlexusError, ScoringFailed
from plexus.graph.cassette import Question, Recorder
from plexus.graph.messages import REASONING_BLOCKS, join_text, read_cut, to_pairs, to_reply
from plexus.graph.provider_errors import read_error
from plexus.graph.providers import Settings
from plexus.graph.replay import ReplayChatModel, schema_parameter
from plexus.graph.reply import Reply
from plexus.graph.state import Run
from plexus.threads import DaemonExecutor

ATTEMPTS = 3
#: Seconds between the first attempt and the second; the pause doubles with each further one.
PAUSE_S = 1.0
#: The longest pause before another attempt, in seconds; if the provider asks for a longer one, the call fails at once.
LONGEST_PAUSE_S = 60.0
Value = TypeVar("Value")


class Invocable(Protocol):
    """A chat model; one that is bound to a schema returns a map with `raw` and `parsed` instead of a message."""

    def invoke(self, input: list[BaseMessage], /) -> object:
        """Return the model's reply to the messages."""
        ...


class ModelCaller:
    """Calls one node's model. Several threads may share it.

    A replayed model runs in the calling thread. `paid` is the `provider:name` whose price applies, by default that of
    `settings`, for which the price in the scorecard takes precedence. With a recorder, every reply is added to its
    cassette, and a request that it has a usable reply to is not sent again.
    """

    def __init__(
        self,
        settings: Settings,
        model: BaseChatModel,
        *,
        recorder: Recorder | None = None,
        paid: str = "",
    ) -> None:
        self.settings, self.model, self.recorder = settings, model, recorder
        self.paid = paid or settings.model_id
        self.price = settings.price if self.paid == settings.model_id else None

    def call(self, messages: list[BaseMessage], run: Run, schema: Mapping[str, object] | None = None) -> Reply:
        """Return the complete reply; its content is JSON if a schema was passed and the provider kept to it.

        The usage and its cost are added to the run. Raises BudgetExceeded before the call if the budget is spent or
        the price is unknown, DeadlineExceeded, CassetteMiss if the cassette has no reply, or ScoringFailed, which is
        transient if every attempt was. A reply that was cut, filtered or refused is paid for and recorded, and raises
        ScoringFailed.
        """
        # Before the call: its cost is known only after it, so the last call may exceed the budget, but no more.
        run.check_budget()
        price = self.price or prices.find_price(self.paid, run.context.prices)
        if price is None and run.budget is not None:
            raise BudgetExceeded(
                f"the budget cannot be kept: no price is known for {self.paid}. next: add `price`, or remove `budget`"
            )
        # Before the request: a prompt that got no reply is the one to look at.
        exchange = run.keep(to_pairs(messages)) if run.context.exchanges else {}
        question = Question(
            self.settings.model_id, {**self.settings.parameters, **schema_parameter(schema)}, to_pairs(messages)
        )
        known = self._find_recorded(question, run.context)
        if known is not None:
            exchange["reply"] = known.content
            return known
        try:
            reply = to_reply(self._answer(messages, run.context, schema))
        except CassetteMiss as error:
            raise CassetteMiss(f"the node {run.path[-1]!r} got no answer: {error}") from None
        exchange["reply"] = reply.content
        # The scorecard's own price is that of the tier which the scorecard's author uses.
        run.spend(self.paid, reply.usage, price, "" if self.price else reply.service_tier)
        if self.recorder is not None:
            self.recorder.add(question, reply, self.paid)
        problem = reply.find_problem(self.settings.max_tokens)
        if problem is not None:
            message = f"the node {run.path[-1]!r} got no answer from {self.settings.model_id}: {problem}"
            raise ScoringFailed(message, transient=reply.is_transient)
        return reply

    def _find_recorded(self, question: Question, context: Context) -> Reply | None:
        """Return the usable reply that an earlier run has recorded, and paid for; None if there is none."""
        if self.recorder is None or context.renewed:
            return None
        reply = self.recorder.find(question, self.paid)
        return None if reply is None or reply.find_problem(self.settings.max_tokens) is not None else reply

    def _answer(self, messages: list[BaseMessage], context: Context, schema: Mapping[str, object] | None) -> AIMessage:
        """Return the provider's message, or the one that the context keeps for the same request."""
        if context.replies is None or isinstance(self.model, ReplayChatModel):
            return self._request(messages, context, schema)
        # Not LangChain's own cache, whose key leaves out the temperature of some providers.
        key = replace(self.settings, price=None), json.dumps(schema, sort_keys=True), tuple(to_pairs(messages))
        if key not in context.replies:
            context.replies[key] = self._request(messages, context, schema)
        return context.replies[key]

    def _request(self, messages: list[BaseMessage], context: Context, schema: Mapping[str, object] | None) -> AIMessage:
        """Return the provider's message, after up to ATTEMPTS attempts; a reply that was cut is returned, too."""
        if isinstance(self.model, ReplayChatModel):
            # A cassette replies at once, so a thread for the deadline would only cost time.
            context.remaining()
            parameters: dict[str, Any] = dict(schema_parameter(schema))
            # LangChain's invocation takes nine times as long as the search, and serves callbacks and traces only.
            return (self.model.invoke if context.traced else self.model.answer)(messages, **parameters)
        model = self.model if schema is None else bind_schema(self.model, schema)
        messages = _ensure_question(messages)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _to_message(call_within_deadline(lambda: model.invoke(messages), context))
            except PlexusError:
                raise
            except Exception as error:
                if (cut := read_cut(error)) is not None:
                    return cut
                problem = read_error(error, self.settings.parameters)
                if not problem.is_transient or attempt == ATTEMPTS or not _wait(attempt, problem.retry_after, context):
                    message = f"{self.settings.model_id} failed: {problem}"
                    raise ScoringFailed(message, transient=problem.is_transient) from error
        raise AssertionError("the last attempt returns or raises")


def _ensure_question(messages: list[BaseMessage]) -> list[BaseMessage]:
    """Return the messages as every provider accepts them: with a question, and without an empty instruction.

    A lone system message becomes the user's: only OpenAI and Ollama answer a request without a question.
    """
    if any(isinstance(message, HumanMessage) for message in messages[:2]):
        return messages if join_text(messages[0]).strip() else messages[1:]
    return [HumanMessage(messages[0].content), *messages[1:]]


def bind_schema(model: BaseChatModel, schema: Mapping[str, object]) -> Invocable:
    """Bind the model to a JSON Schema; returns the model itself if its provider has no structured output."""
    try:
        return model.with_structured_output(dict(schema), include_raw=True)
    except (NotImplementedError, ValueError):
        return model


def _to_message(answer: object) -> AIMessage:
    """Return the answer as one message; a structured answer as its JSON, or as its text if it is not JSON."""
    if isinstance(answer, AIMessage):
        return answer
    assert isinstance(answer, dict)
    raw: AIMessage = answer["raw"]
    if answer["parsed"] is None:
        return raw
    thoughts = [block for block in raw.content if isinstance(block, dict) and block.get("type") in REASONING_BLOCKS]
    text = {"type": "text", "text": json.dumps(answer["parsed"], ensure_ascii=False)}
    return raw.model_copy(update={"content": [*thoughts, text]})


def call_within_deadline(call: Callable[[], Value], context: Context) -> Value:
    """Return the call's value. Raises DeadlineExceeded at the deadline, even if the call has not returned then."""
    left = context.remaining()
    if left is None:
        return call()
    # The clients' own timeouts apply to single reads: a reply that trickles in can exceed any of them.
    pool = DaemonExecutor(1, "plexus-call")
    future = pool.submit(call)
    try:
        return future.result(timeout=left)
    except TimeoutError:
        if future.done():  # the call's own error, such as a socket's: it may be retried
            return future.result()
        context.remaining()  # raises if the deadline has passed, with its usual message
        raise DeadlineExceeded("the deadline passed while a model was answering") from None
    finally:
        pool.shutdown(wait=False)


def _wait(attempt: int, retry_after: float | None, context: Context) -> bool:
    """Pause before the next attempt; return False instead if the pause would be too long, or too close to the deadline.

    The pause is exponential with jitter, and added to the seconds that the provider asked for (`retry_after`).
    """
    pause = backoff.pause(attempt, PAUSE_S) + (retry_after or 0.0)
    left = context.remaining()
    # After the pause, the call needs time as well.
    if pause > LONGEST_PAUSE_S or (left is not None and left <= 2 * pause):
        return False
    time.sleep(pause)
    return True
