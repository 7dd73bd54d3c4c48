"""A LangChain chat model that answers from a cassette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import SkipValidation
from typing_extensions import override

from plexus.exceptions import CassetteMiss
from plexus.graph.cassette import Cassette, Question
from plexus.graph.messages import to_message, to_pairs
from plexus.text import hash_value

_EARLIER_DEFAULTS = {"temperature": 0.0, "max_tokens": 500}


class ReplayChatModel(BaseChatModel):
    """Returns the reply recorded for exactly the same model, messages and parameters.

    Raises CassetteMiss for any other request; `record_with` is the command that it suggests.
    """

    cassette: SkipValidation[Cassette]
    model_id: str
    parameters: dict[str, object]
    record_with: str = "plexus run --record"

    @property
    @override
    def _llm_type(self) -> str:
        return "plexus-replay"

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answer(messages, **kwargs))])

    def answer(self, messages: Sequence[BaseMessage], **kwargs: Any) -> AIMessage:
        """Return the message that `invoke` returns, without callbacks and traces. Raises CassetteMiss."""
        schema = {"schema": kwargs["schema"]} if "schema" in kwargs else {}
        question = Question(self.model_id, {**self.parameters, **schema}, to_pairs(messages))
        # Versions up to 0.2 sent a temperature and a limit that the scorecard did not have: their cassettes replay.
        earlier = Question(self.model_id, {**_EARLIER_DEFAULTS, **question.parameters}, question.messages)
        reply = self.cassette.find(question) or self.cassette.find(earlier)
        if reply is None:
            # Without the request's key: equal messages of a changed prompt are counted in one line.
            raise CassetteMiss(f"{self.cassette.name} has no reply to this request. next: {self.record_with}")
        return to_message(reply)


def schema_parameter(schema: Mapping[str, object] | None) -> dict[str, str]:
    """Return what a JSON Schema adds to a request's parameters: its digest; empty without a schema."""
    return {} if schema is None else {"schema": hash_value(dict(schema))}
