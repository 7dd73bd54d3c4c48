"""Messages from templates, and asking again for what a reply did not give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from plexus.exceptions import ScoringFailed
from plexus.graph.asking import Asker
from plexus.graph.state import Run
from plexus.graph.templates import Template

Answer = TypeVar("Answer")


class Conversation:
    """One node's questions; `read` makes an answer of a reply, None for one that is unusable."""

    def __init__(self, node: Any, asker: Asker, addition: str = "", shape: Mapping[str, Any] | None = None) -> None:
        self.node, self.asker, self.addition, self.shape = node, asker, addition, shape
        self.system = Template(node.system_message) if node.system_message is not None else None
        self.user = Template(node.user_message) if node.user_message is not None else None

    def messages(self, values: Mapping[str, Any]) -> list[BaseMessage]:
        """The rendered messages."""
        made: list[BaseMessage] = []
        if self.system is not None:
            made.append(SystemMessage(self.system.render(values)))
        if self.user is not None:
            made.append(HumanMessage(self.user.render(values)))
        if self.addition:
            last = made[-1]
            made[-1] = type(last)(f"{last.content}\n\n{self.addition}")
        return made

    def answer(
        self, values: Mapping[str, Any], run: Run, read: Callable[[str], Answer | None], again: str
    ) -> tuple[Answer, str]:
        """The first usable answer with its reply. Raises ScoringFailed when the retries are used up: never a guess."""
        messages = self.messages(values)
        for _ in range(self.node.maximum_retry_count + 1):
            reply = self.asker.ask(messages, run, self.shape)
            answer = read(reply)
            if answer is not None:
                return answer, reply
            messages = [*messages, AIMessage(reply), HumanMessage(again)]
        asked = self.node.maximum_retry_count + 1
        raise ScoringFailed(f"the node {self.node.name!r} got no usable reply in {asked} calls", transient=True)
