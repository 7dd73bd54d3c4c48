"""The nodes that call a model: Classifier, YesOrNoClassifier, NumericClassifier, Extractor, Generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from plexus.configuration.graph import (
    Classifier,
    Extractor,
    Generator,
    ModelNode,
    NumericClassifier,
    PromptNode,
    YesOrNoClassifier,
)
from plexus.exceptions import ScoringFailed
from plexus.graph import replies
from plexus.graph.model_call import ModelCaller
from plexus.graph.replies import ClassReply
from plexus.graph.reply import Reply
from plexus.graph.state import Fields, Run, Work
from plexus.language.templates import Template
from plexus.passages import Passage, align, strip_label
from plexus.text import fold

Reading = TypeVar("Reading")

# The prompts below are part of a request, so they are part of the keys of recorded cassettes: never edit them.
_ASK_CONFIDENCE = "End with a last line `Confidence: N`, where N is from 0 (a guess) to 1 (certain)."
_ASK_PASSAGE = (
    "That is not a passage of the text. Quote the text word for word, and nothing else; or answer: {nothing}."
)
_QUOTES = "\"'“”‘’«»` \n"


def create_work(node: ModelNode, caller: ModelCaller, explainer: ModelCaller | None = None) -> Work:
    """Create the work of a node that calls a model; its templates are compiled here, once.

    `explainer` calls the model that gives a class its explanation, by default the caller.
    """
    if isinstance(node, NumericClassifier):
        return create_numeric(node, caller)
    if isinstance(node, Extractor):
        return create_extractor(node, caller)
    if isinstance(node, Generator):
        return create_generator(node, caller)
    return create_classifier(node, caller, explainer or caller)


class Conversation:
    """A node's messages to its model, with retries for replies that cannot be read.

    `addition` is appended to the last message. `schema` is the JSON Schema of a structured reply.
    """

    def __init__(
        self, node: PromptNode, caller: ModelCaller, addition: str = "", schema: Mapping[str, object] | None = None
    ) -> None:
        self.node, self.caller, self.addition, self.schema = node, caller, addition, schema
        self.system = Template(node.system_message) if node.system_message is not None else None
        self.user = Template(node.user_message) if node.user_message is not None else None

    def messages(self, values: Mapping[str, object]) -> list[BaseMessage]:
        """Render the system and the user message.

        Raises ScoringFailed or UnsafeCode if a template fails, and ScoringFailed if there is nothing to ask.
        """
        messages: list[BaseMessage] = []
        if self.system is not None:
            messages.append(SystemMessage(self.system.render(values)))
        if self.user is not None:
            messages.append(HumanMessage(self.user.render(values)))
        if not str(messages[-1].content).strip():
            key = "system_message" if self.user is None else "user_message"
            raise ScoringFailed(f"the node {self.node.name!r} has nothing to ask: its `{key}` is empty for this text")
        if self.addition:
            last = messages[-1]
            messages[-1] = type(last)(f"{last.content}\n\n{self.addition}")
        return messages

    def ask(
        self, values: Mapping[str, object], run: Run, read: Callable[[Reply], Reading | None], again: str
    ) -> tuple[Reading, Reply]:
        """Return what `read` makes of the first usable reply, with the reply; `read` returns None for another one.

        After an unusable reply, the message `again` asks for a better one. Raises a transient ScoringFailed once the
        node's retries are used up: a value is never guessed.
        """
        messages = self.messages(values)
        for _ in range(self.node.maximum_retry_count + 1):
            reply = self.caller.call(messages, run, self.schema)
            reading = read(reply)
            if reading is not None:
                return reading, reply
            # The model sees its own reply and what was wrong with it.
            messages = [*messages, AIMessage(reply.content), HumanMessage(again)]
        calls = self.node.maximum_retry_count + 1
        raise ScoringFailed(f"the node {self.node.name!r} got no usable reply in {calls} calls", transient=True)


def create_classifier(node: Classifier | YesOrNoClassifier, caller: ModelCaller, explainer: ModelCaller) -> Work:
    """Ask for a class: `classification` and `value`. The reply, or a structured reply's reason, is `explanation`.

    With an `explanation_message`, the explanation is the reply to it, at the end of the same conversation.
    """
    schema = replies.build_schema(node) if node.structured else None
    conversation = Conversation(node, caller, _ASK_CONFIDENCE if node.confidence and not schema else "", schema)
    again = f"Answer with exactly one of these: {', '.join(node.valid_classes)}."
    if node.confidence:
        again += " " + _ASK_CONFIDENCE

    def read(reply: Reply) -> ClassReply | None:
        # A provider without structured output answers in text, which is then parsed as usual.
        if schema and reply.structured is not None:
            return replies.read_class(reply.structured, node)
        return replies.read_text(reply, node)

    why = Template(node.explanation_message) if node.explanation_message is not None else None

    def work(values: Mapping[str, object], run: Run) -> Fields:
        reply, answer = conversation.ask(values, run, read, again)
        explanation = reply.explanation
        if why is not None:
            question = HumanMessage(why.render({**values, "classification": reply.label}))
            messages = [*conversation.messages(values), AIMessage(answer.content), question]
            explanation = explainer.call(messages, run).text.strip()
        return {
            "classification": reply.label,
            "value": reply.label,
            "explanation": explanation,
            "confidence": reply.confidence,
        }

    return work


def create_numeric(node: NumericClassifier, caller: ModelCaller) -> Work:
    """Ask for a number: `number`, its text as `value` and `classification`, the whole reply as `explanation`."""
    conversation = Conversation(node, caller)
    again = f"Answer with {_describe_range(node)}, and nothing else."

    def read(reply: Reply) -> Decimal | None:
        return replies.read_number(reply, node)

    def work(values: Mapping[str, object], run: Run) -> Fields:
        number, reply = conversation.ask(values, run, read, again)
        # A Decimal keeps the digits of the reply: the value of `0.10` is 0.1, never 0.1000000001.
        is_whole = number == number.to_integral_value()
        text = str(int(number)) if is_whole else format(number.normalize(), "f")
        plain = int(number) if is_whole else float(number)
        return {"classification": text, "value": text, "explanation": reply.text.strip(), "number": plain}

    return work


def _describe_range(node: NumericClassifier) -> str:
    kind = "one whole number" if node.whole else "one number"
    if node.minimum is not None and node.maximum is not None:
        return f"{kind} from {node.minimum:g} to {node.maximum:g}"
    if node.minimum is not None:
        return f"{kind} of at least {node.minimum:g}"
    return kind if node.maximum is None else f"{kind} of at most {node.maximum:g}"


def create_extractor(node: Extractor, caller: ModelCaller) -> Work:
    """Ask for a passage: `value` is spelled as in the text; it is empty, and `found` false, if there is none."""
    conversation = Conversation(node, caller)
    again = _ASK_PASSAGE.format(nothing=node.nothing)

    def work(values: Mapping[str, object], run: Run) -> Fields:
        def read(reply: Reply) -> Passage | None:
            quoted = reply.quotation.strip(_QUOTES)
            if fold(node.nothing) in (fold(form.strip(f"{_QUOTES}*.")) for form in (quoted, strip_label(quoted))):
                return Passage("", -1, -1)
            if not quoted:
                return None
            return align(str(values["text"]), quoted) if node.verbatim else Passage(quoted, -1, -1)

        passage, reply = conversation.ask(values, run, read, again)
        return {
            "value": passage.text,
            "explanation": reply.text.strip(),
            "found": bool(passage.text),
            "start": passage.start,
            "end": passage.end,
        }

    return work


def create_generator(node: Generator, caller: ModelCaller) -> Work:
    """Ask for any text: the reply is `value` and `explanation`; an empty one is asked for again."""
    conversation = Conversation(node, caller)

    def work(values: Mapping[str, object], run: Run) -> Fields:
        text, _ = conversation.ask(values, run, lambda reply: reply.text.strip() or None, "The reply was empty.")
        return {"value": text, "explanation": text}

    return work
