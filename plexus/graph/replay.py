"""A LangChain chat model that answers from a cassette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from typing_extensions import override

from plexus.exceptions import CassetteMiss
from plexus.graph.cassette import Cassette, Question
from plexus.text import digest


class ReplayChatModel(BaseChatModel):
    """Gives the recorded reply to exactly the same model, messages and parameters; anything else is a CassetteMiss."""

    cassette: Any
    model_id: str
    parameters: dict[str, Any]
    record_with: str = "plexus run --record"

    @property
    @override
    def _llm_type(self) -> str:
        return "plexus-replay"

    @override
    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        schema = {"schema": kwargs["schema"]} if "schema" in kwargs else {}
        question = Question(self.model_id, {**self.parameters, **schema}, roles(messages))
        cassette: Cassette = self.cassette
        reply = cassette.find(question)
        if reply is None:
            raise CassetteMiss(
                f"{cassette.name} holds no reply to this request of {self.model_id} (key {question.key[:12]}); "
                f"record it: {self.record_with}"
            )
        usage = {
            "input_tokens": reply.usage.input_tokens,
            "output_tokens": reply.usage.output_tokens,
            "total_tokens": reply.usage.input_tokens + reply.usage.output_tokens,
        }
        message = AIMessage(content=reply.content, usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])


def shaped(shape: Mapping[str, Any] | None) -> dict[str, str]:
    """What a JSON Schema adds to a request's parameters: its digest."""
    return {} if shape is None else {"schema": digest(dict(shape))}


def roles(messages: Sequence[BaseMessage]) -> list[tuple[str, str]]:
    """Messages as (role, content) pairs: system, human and ai."""
    return [(message.type, text_of(message)) for message in messages]


def text_of(message: BaseMessage) -> str:
    """The message's text, also where the provider sends it in blocks."""
    if isinstance(message.content, str):
        return message.content
    return "".join(block if isinstance(block, str) else str(block.get("text", "")) for block in message.content)
