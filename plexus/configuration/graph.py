"""LangGraphScore and its nodes."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from typing_extensions import override

from plexus.configuration.common import Condition, Model, ModelSettings, Score
from plexus.configuration.processors import Words, check_order

Aliases = Annotated[dict[str, object], Field(description="Alias → state field; anything but a field is a literal.")]


class Branch(Condition):
    """An edge that is taken if the node's `state` meets the condition."""

    state: str | None = Field(
        None,
        description="The field to compare: one of the node's own, an alias, or `node.field`. "
        "Default: the node's classification.",
    )
    node: str = Field(description="The next node's name, or END.")
    output: Aliases = Field(default_factory=dict)


class Edge(Model):
    """The edge that is taken if no condition is met."""

    node: str = Field(description="The next node's name, or END.")
    output: Aliases = Field(default_factory=dict)


class Node(Model):
    """The keys that nodes of every class have."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="The node's name in other nodes and templates.")
    output: Aliases = Field(default_factory=dict)
    conditions: list[Branch] = Field(
        default_factory=list, description="Edges in order; the first that is met is taken."
    )
    edge: Edge | None = Field(None, description="The edge if no condition is met; default: to the next node.")


class PromptNode(Node, ModelSettings):
    """A node that calls a language model; both messages are templates."""

    system_message: str | None = Field(None, description="The system message, a template.")
    user_message: str | None = Field(None, description="The question, a template.")
    maximum_retry_count: int = Field(2, ge=0, le=10, description="How many times to ask again after an unusable reply.")

    @model_validator(mode="after")
    def _check_messages(self) -> PromptNode:
        if self.user_message is None and self.system_message is None:
            raise ValueError("needs a user_message or a system_message")
        return self

    def create_explainer(self) -> Self | None:
        """Return the node with the model that it asks for explanations; None without a model of their own."""
        return None

    @property
    def templates(self) -> dict[str, str]:
        """Every message that is written, by its key."""
        keys = ("system_message", "user_message", "explanation_message")
        return {key: message for key in keys if isinstance(message := getattr(self, key, None), str)}


class ClassNode(PromptNode):
    """A node that asks for a class, and may ask for the reason in a second request."""

    explanation_message: str | None = Field(
        None, description="Asks for the explanation once the class is known; a template, `classification` is the class."
    )
    explanation_model: ModelSettings | None = Field(
        None, description="The model for `explanation_message`; what it leaves out is the node's."
    )

    @model_validator(mode="after")
    def _check_explanation(self) -> ClassNode:
        if self.explanation_model is not None and self.explanation_message is None:
            raise ValueError("`explanation_model` has no effect without `explanation_message`")
        return self

    @override
    def create_explainer(self) -> Self | None:
        """Return the node with its `explanation_model`; None without one."""
        model = self.explanation_model
        if model is None:
            return None
        return self.model_copy(update={key: getattr(model, key) for key in model.model_fields_set})

    @model_serializer(mode="wrap")
    def _omit_explanation(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Omit the keys where they are not written: such a node has the hash that it had before they existed."""
        keys = ("explanation_message", "explanation_model")
        content = self._mark_nulls(dump)
        return {k: v for k, v in content.items() if k not in keys or v is not None}


class Classifier(ClassNode):
    """Asks for one of `valid_classes`. Of overlapping classes the longest matches."""

    class_name: Literal["Classifier", "MultiClassClassifier"] = Field(alias="class")
    valid_classes: list[Words] = Field(min_length=1, description="The classes to choose from.")
    parse_from_start: bool = Field(
        False, description="Take the conclusion that begins the reply instead of the one that ends it."
    )
    confidence: bool = Field(False, description="Also ask for a confidence from 0 to 1.")
    structured: bool = Field(False, description="Use the provider's structured output instead of parsing text.")


class YesOrNoClassifier(ClassNode):
    """A Classifier with the classes Yes and No."""

    class_name: Literal["YesOrNoClassifier"] = Field(alias="class")
    parse_from_start: bool = Field(
        False, description="Take the conclusion that begins the reply instead of the one that ends it."
    )
    confidence: bool = Field(False, description="Also ask for a confidence from 0 to 1.")
    structured: bool = Field(False, description="Use the provider's structured output instead of parsing text.")

    @property
    def valid_classes(self) -> list[str]:
        """Always Yes and No."""
        return ["Yes", "No"]


class NumericClassifier(PromptNode):
    """Asks for a number from `minimum` to `maximum`."""

    class_name: Literal["NumericClassifier"] = Field(alias="class")
    minimum: float | None = Field(None, description="The smallest valid number.")
    maximum: float | None = Field(None, description="The largest valid number.")
    whole: bool = Field(False, description="Accept whole numbers only.")
    parse_from_start: bool = Field(
        False, description="Take the conclusion that begins the reply instead of the one that ends it."
    )

    @model_validator(mode="after")
    def _check_bounds(self) -> NumericClassifier:
        check_order("minimum", self.minimum, "maximum", self.maximum)
        return self

    def allows(self, number: Decimal) -> bool:
        """Return whether the number lies between the bounds, both included, and is whole if it has to be."""
        is_high_enough = self.minimum is None or number >= Decimal(str(self.minimum))
        is_low_enough = self.maximum is None or number <= Decimal(str(self.maximum))
        return is_high_enough and is_low_enough and (not self.whole or number == number.to_integral_value())


class Extractor(PromptNode):
    """Asks for a passage of the text; unless `verbatim` is false, a reply that is not in it is asked for again."""

    class_name: Literal["Extractor"] = Field(alias="class")
    verbatim: bool = Field(True, description="Whether the reply must be a passage of the text, word for word.")
    nothing: str = Field("None", description="The reply that means that the text has no such passage.")


class Generator(PromptNode):
    """Asks for text of any form."""

    class_name: Literal["Generator"] = Field(alias="class")


class LogicalClassifier(Node):
    """Computes a class with an expression of the restricted language."""

    class_name: Literal["LogicalClassifier"] = Field(alias="class")
    expression: str = Field(min_length=1, description="Computes the class; true is Yes and false is No.")
    explanation: str | None = Field(None, description="A template; `classification` is the class.")
    valid_classes: list[Words] | None = Field(None, description="The valid classes; any other is a failure.")


class LogicalNode(Node):
    """Sets aliases with expressions of the restricted language."""

    class_name: Literal["LogicalNode"] = Field(alias="class")
    set: dict[str, str] = Field(min_length=1, description="Alias → expression.")


class FuzzyTarget(Model):
    """A phrase to find; similarity is the share of equal characters, from 0 to 1."""

    phrase: Words = Field(description="The phrase.")
    threshold: float = Field(0.8, gt=0, le=1, description="The least similarity that counts as a match.")
    value: Words | None = Field(None, description="The classification of a match; default: the node's `found`.")
    compare: Literal["passage", "whole", "sorted_words", "common_words"] = Field(
        "passage",
        description="What the phrase is compared with: the passage most like it, the whole text, the text's words in "
        "alphabetical order, or the words that both have.",
    )

    @model_serializer(mode="wrap")
    def _omit_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Omit the default of `compare`: such a target has the hash that it had before the key existed."""
        content: dict[str, object] = dump(self)
        return content if self.compare != "passage" else {k: v for k, v in content.items() if k != "compare"}


class FuzzyMatchClassifier(Node):
    """Checks whether the text contains phrases, misspelt ones included."""

    class_name: Literal["FuzzyMatchClassifier"] = Field(alias="class")
    targets: list[FuzzyTarget] = Field(min_length=1, description="The phrases.")
    match: Literal["any", "all"] = Field("any", description="Whether one phrase is enough.")
    found: Words = Field("Yes", description="The class if the phrases are found.")
    not_found: Words = Field("No", description="The class if they are not.")
    source: str | list[str] = Field(
        "text",
        description="The state field to search; or a list of paths such as `metadata.schools[].name`, whose values are "
        "searched one by one.",
    )


class FuzzyMatchExtractor(Node):
    """Finds the passage that is most similar to a phrase."""

    class_name: Literal["FuzzyMatchExtractor"] = Field(alias="class")
    targets: list[FuzzyTarget] = Field(
        min_length=1, description="The phrases; the passage most similar to any of them is returned."
    )
    source: str = Field("text", description="The state field to search.")


class BeforeAfterSlicer(Node):
    """Splits the text at a quotation that an earlier node found, into `before` and `after`."""

    class_name: Literal["BeforeAfterSlicer"] = Field(alias="class")
    quotation: str = Field(description="The state field with the passage to split at.")
    source: str = Field("text", description="The state field to split.")
    threshold: float = Field(
        0.8, gt=0, le=1, description="The least similarity if the text does not contain the passage word for word."
    )


class ContextExtractor(Node):
    """Returns a passage that an earlier node found with its surrounding sentences."""

    class_name: Literal["ContextExtractor"] = Field(alias="class")
    quotation: str = Field(description="The state field with the passage.")
    source: str = Field("text", description="The state field to search.")
    before: int = Field(1, ge=0, description="How many sentences before the passage.")
    after: int = Field(1, ge=0, description="How many sentences after it.")
    threshold: float = Field(
        0.8, gt=0, le=1, description="The least similarity if the text does not contain the passage word for word."
    )


ModelNode = Classifier | YesOrNoClassifier | NumericClassifier | Extractor | Generator
TextNode = (
    LogicalClassifier | LogicalNode | FuzzyMatchClassifier | FuzzyMatchExtractor | BeforeAfterSlicer | ContextExtractor
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
    """Runs a graph of nodes from the first node; `output` maps `value` and `explanation` to state fields."""

    class_name: Literal["LangGraphScore"] = Field(alias="class")
    graph: list[AnyNode] = Field(
        min_length=1,
        description="The nodes. After a node comes the edge whose condition is met, else `edge`, else the next node.",
    )
    output: Aliases = Field(default_factory=dict)
    cassette: str | None = Field(
        None, description="Recorded replies: a file beside the scorecard, or the digest of an artifact."
    )
    budget: float | None = Field(None, gt=0, description="US dollars per item; once spent, no more calls are made.")
