"""LangGraphScore and its nodes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from plexus.configuration.common import Condition, Model, ModelSettings, Score
from plexus.configuration.processors import Words, in_order

Aliases = Annotated[dict[str, Any], Field(description="Alias → state field; a field that is absent is a literal.")]


class Branch(Condition):
    """Where to go when the node's `state` (its classification, unless named) meets the condition."""

    state: str | None = Field(
        None, description="The field that is compared: one of the node's own, an alias, or `node.field`."
    )
    node: str = Field(description="A node's name, or END.")
    output: Aliases = Field(default_factory=dict)


class Edge(Model):
    """Where to go when no condition holds."""

    node: str = Field(description="A node's name, or END.")
    output: Aliases = Field(default_factory=dict)


class Node(Model):
    """The keys that every node has."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="What other nodes and templates call it.")
    output: Aliases = Field(default_factory=dict)
    conditions: list[Branch] = Field(
        default_factory=list, description="Ways out, tried in order; the first that holds is taken."
    )
    edge: Edge | None = Field(None, description="The way out when no condition holds; without it the next node.")


class Asking(Node, ModelSettings):
    """A node that asks a language model; both messages are templates."""

    system_message: str | None = Field(None, description="What the model is, as a template.")
    user_message: str | None = Field(None, description="The question, as a template.")
    maximum_retry_count: int = Field(2, ge=0, le=5, description="How often an unusable reply is asked for again.")

    @model_validator(mode="after")
    def _something_to_ask(self) -> Asking:
        if self.user_message is None and self.system_message is None:
            raise ValueError("needs a user_message or a system_message")
        return self


class Classifier(Asking):
    """Asks for one of `valid_classes`; the longest class that matches wins, by its position in the reply."""

    class_name: Literal["Classifier", "MultiClassClassifier"] = Field(alias="class")
    valid_classes: list[Words] = Field(min_length=1, description="The classes to choose from.")
    parse_from_start: bool = Field(False, description="The class that stands first in the reply counts, not the last.")
    confidence: bool = Field(False, description="Ask for a confidence from 0 to 1 as well.")
    structured: bool = Field(False, description="Use the provider's structured output instead of parsing text.")


class YesOrNoClassifier(Asking):
    """A Classifier whose classes are Yes and No."""

    class_name: Literal["YesOrNoClassifier"] = Field(alias="class")
    parse_from_start: bool = Field(False, description="The class that stands first in the reply counts, not the last.")
    confidence: bool = Field(False, description="Ask for a confidence from 0 to 1 as well.")
    structured: bool = Field(False, description="Use the provider's structured output instead of parsing text.")

    @property
    def valid_classes(self) -> list[str]:
        """Always Yes and No."""
        return ["Yes", "No"]


class NumericClassifier(Asking):
    """Asks for a number between `minimum` and `maximum`."""

    class_name: Literal["NumericClassifier"] = Field(alias="class")
    minimum: float | None = Field(None, description="The least number.")
    maximum: float | None = Field(None, description="The greatest number.")
    whole: bool = Field(False, description="Only whole numbers.")
    parse_from_start: bool = Field(False, description="The number that stands first in the reply counts, not the last.")

    @model_validator(mode="after")
    def _in_order(self) -> NumericClassifier:
        in_order("minimum", self.minimum, "maximum", self.maximum)
        return self


class Extractor(Asking):
    """Asks for a passage of the text; unless `verbatim` is false, a reply that is not in it is asked for again."""

    class_name: Literal["Extractor"] = Field(alias="class")
    verbatim: bool = Field(True, description="Whether the reply must be a passage of the text, word for word.")
    nothing: str = Field("None", description="The reply that means: the text has no such passage.")


class Generator(Asking):
    """Asks for text of any form."""

    class_name: Literal["Generator"] = Field(alias="class")


class LogicalClassifier(Node):
    """A class by an expression of the restricted language."""

    class_name: Literal["LogicalClassifier"] = Field(alias="class")
    expression: str = Field(min_length=1, description="Gives the class; true is Yes and false is No.")
    explanation: str | None = Field(None, description="A template; `classification` is the class.")
    valid_classes: list[Words] | None = Field(None, description="The classes that it may give; any other is a failure.")


class LogicalNode(Node):
    """New aliases by expressions of the restricted language."""

    class_name: Literal["LogicalNode"] = Field(alias="class")
    set: dict[str, str] = Field(min_length=1, description="Alias → expression.")


class FuzzyTarget(Model):
    """A phrase to find; similarity is the share of equal characters, 0 to 1."""

    phrase: Words = Field(description="The phrase.")
    threshold: float = Field(0.8, gt=0, le=1, description="The least similarity that counts as found.")
    value: Words | None = Field(None, description="The classification on a match; `found` without it.")


class FuzzyMatchClassifier(Node):
    """Whether the text holds phrases, misspelt ones included."""

    class_name: Literal["FuzzyMatchClassifier"] = Field(alias="class")
    targets: list[FuzzyTarget] = Field(min_length=1, description="The phrases.")
    match: Literal["any", "all"] = Field("any", description="Whether one of them is enough.")
    found: Words = Field("Yes", description="The class when they are found.")
    not_found: Words = Field("No", description="The class when they are not.")
    source: str = Field("text", description="The state field to look in.")


class FuzzyMatchExtractor(Node):
    """The passage that is most like a phrase."""

    class_name: Literal["FuzzyMatchExtractor"] = Field(alias="class")
    targets: list[FuzzyTarget] = Field(
        min_length=1, description="The phrases; the passage most like one of them is taken."
    )
    source: str = Field("text", description="The state field to look in.")


class BeforeAfterSlicer(Node):
    """Cuts the text at a quotation that an earlier node found: `before` and `after` it."""

    class_name: Literal["BeforeAfterSlicer"] = Field(alias="class")
    quotation: str = Field(description="The state field that holds the passage to cut at.")
    source: str = Field("text", description="The state field that is cut.")
    threshold: float = Field(
        0.8, gt=0, le=1, description="The least similarity, where the passage is not there word for word."
    )


class ContextExtractor(Node):
    """A passage that an earlier node found, with the sentences around it."""

    class_name: Literal["ContextExtractor"] = Field(alias="class")
    quotation: str = Field(description="The state field that holds the passage.")
    source: str = Field("text", description="The state field to look in.")
    before: int = Field(1, ge=0, description="How many sentences before.")
    after: int = Field(1, ge=0, description="How many sentences after.")
    threshold: float = Field(
        0.8, gt=0, le=1, description="The least similarity, where the passage is not there word for word."
    )


AnyNode = Annotated[
    Classifier
    | YesOrNoClassifier
    | NumericClassifier
    | Extractor
    | Generator
    | LogicalClassifier
    | LogicalNode
    | FuzzyMatchClassifier
    | FuzzyMatchExtractor
    | BeforeAfterSlicer
    | ContextExtractor,
    Field(discriminator="class_name"),
]


class LangGraphScore(Score, ModelSettings):
    """A graph of nodes; the first is the entry, `output` maps `value` and `explanation` to state fields."""

    class_name: Literal["LangGraphScore"] = Field(alias="class")
    graph: list[AnyNode] = Field(
        min_length=1,
        description="The nodes; after one comes the way that its conditions choose, else its edge, else the next.",
    )
    output: Aliases = Field(default_factory=dict)
    cassette: str | None = Field(
        None, description="Recorded replies: a file beside the scorecard, or the digest of an artifact."
    )
    budget: float | None = Field(None, gt=0, description="US dollars per item; once spent, no more calls are made.")
