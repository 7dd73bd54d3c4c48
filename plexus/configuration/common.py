"""The keys that scores of every class share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from plexus.configuration.processors import Processor, Words, check_order
from plexus.text import fold

OPERATORS = ("==", "!=", "in", "not in")


class Model(BaseModel):
    """Unknown keys are errors, types are never coerced, and values are immutable."""

    # Strict: `yes` for a boolean or `1` for a text is more likely a mistake than an intention.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Condition(Model):
    """A condition on the value of a dependency; text compares with case and white space folded."""

    operator: Literal["==", "!=", "in", "not in"] = Field("==", description="How the values compare.")
    value: object = Field(description="One value, or a list for `in` and `not in`.")

    @model_validator(mode="after")
    def _check_value(self) -> Condition:
        if isinstance(self.value, list) != (self.operator in ("in", "not in")):
            expected = "a list of values" if self.operator in ("in", "not in") else "one value"
            raise ValueError(f"the operator {self.operator!r} expects {expected}")
        return self

    @property
    def values(self) -> list[object]:
        """The values to compare with: the members of a list, or the only value."""
        return self.value if isinstance(self.value, list) else [self.value]


def _normalize_dependencies(value: object) -> dict[str, object]:
    """Convert both forms to name → condition or None: a list only sets an order, a map adds conditions."""
    if isinstance(value, list):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("expected names of scores")
        return dict.fromkeys(value)
    if not isinstance(value, dict):
        raise ValueError("expected a list of scores, or a map from score to value")
    return {
        name: expected if isinstance(expected, dict) or expected is None else _create_condition(expected)
        for name, expected in value.items()
    }


def _create_condition(expected: object) -> dict[str, object]:
    return {"operator": "in" if isinstance(expected, list) else "==", "value": expected}


# Written by hand: the validator accepts short forms that pydantic cannot derive from the type.
_VALUE_SCHEMA = {"type": ["string", "number", "boolean"]}
_CONDITION_SCHEMA = {
    "anyOf": [
        _VALUE_SCHEMA,
        {"type": "array", "items": _VALUE_SCHEMA},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["value"],
            "properties": {
                "operator": {"enum": list(OPERATORS)},
                "value": {"anyOf": [_VALUE_SCHEMA, {"type": "array", "items": _VALUE_SCHEMA}]},
            },
        },
    ]
}
Dependencies = Annotated[
    dict[str, Condition | None],
    BeforeValidator(_normalize_dependencies),
    WithJsonSchema(
        {
            "description": "Scores to run first: a list sets the order only, a map adds conditions on their values.",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": _CONDITION_SCHEMA},
            ],
        }
    ),
]


class Processing(Model):
    """The processors of one score; they replace the scorecard's."""

    processors: list[Processor] | None = Field(None, description="In this order; they replace the scorecard's.")


class Preparation(Processing):
    """How one score's items are prepared before scoring."""

    decode_metadata: bool = Field(
        False, description="Metadata that is JSON text is what it encodes: `7` is a number, `true` a boolean."
    )

    @model_serializer(mode="wrap")
    def _omit_default(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Omit the default, so that a score without the key has the hash that it had before the key existed."""
        content: dict[str, object] = dump(self)
        return content if self.decode_metadata else {k: v for k, v in content.items() if k != "decode_metadata"}


class Data(Processing):
    """The labelled texts of a score: a table beside the scorecard, and two of its columns."""

    file: str | None = Field(None, description="CSV, JSON, Excel or Parquet; relative to the scorecard.")
    text: str = Field("text", description="The column with the texts.")
    label: str = Field("label", description="The column with the labels.")
    encoding: str | None = Field(None, description="The file's encoding, if it cannot be detected.")
    sheet: str | None = Field(None, description="The sheet of an Excel workbook, if another is detected.")
    header_row: Annotated[int, Field(ge=1)] | str | None = Field(
        None, description="The row of the column names, or `1-3` if rows 2 and 3 only describe the columns."
    )
    labels: dict[str, Words | None] = Field(
        default_factory=dict, description="Replaces labels, as in `{0: ham, 1: spam}`; null leaves a row out."
    )

    @property
    def layout(self) -> dict[str, str | None]:
        """How the table is read, as arguments of `plexus.tables.open_table`."""
        row = None if self.header_row is None else str(self.header_row)
        return {"encoding": self.encoding, "sheet": self.sheet, "header_row": row}

    @model_validator(mode="after")
    def _check_labels(self) -> Data:
        current: dict[str, str] = {}
        for label, value in self.labels.items():
            other = current.setdefault(fold(label), label)
            if self.labels[other] != value:
                raise ValueError(f"labels: {other!r} and {label!r} are one label, with two values")
        return self


class Rule(Model):
    """The requirements of a value or an explanation; the score fails if one is not met."""

    valid_classes: list[Words] | None = Field(
        None, min_length=1, description="The value is one of these (case and white space folded)."
    )
    patterns: list[str] | None = Field(None, min_length=1, description="At least one matches somewhere (RE2).")
    minimum_length: int | None = Field(None, ge=0, description="In characters.")
    maximum_length: int | None = Field(None, ge=0, description="In characters.")

    @model_validator(mode="after")
    def _check_lengths(self) -> Rule:
        check_order("minimum_length", self.minimum_length, "maximum_length", self.maximum_length)
        return self


class Validation(Model):
    """Checks after scoring: a result that does not pass becomes a failure."""

    value: Rule | None = Field(None, description="What the value must satisfy.")
    explanation: Rule | None = Field(None, description="What the explanation must satisfy.")


class Case(Model):
    """A test of a score: a text and the value it must get."""

    name: str | None = Field(None, description="The test's name.")
    text: str = Field(description="The text to score.")
    metadata: dict[str, object] = Field(default_factory=dict, description="The item's metadata.")
    results: dict[str, str] = Field(
        default_factory=dict,
        description="Values of the dependencies, used instead of scoring them; `skipped` is allowed.",
    )
    value: Words = Field(description="The expected value, or `skipped`.")
    explanation_contains: str | None = Field(None, description="Text that the explanation must contain.")


class Score(Model):
    """The keys that scores of every class have."""

    name: str = Field(min_length=1, description="The score's name for people; other scores depend on it by this name.")
    key: str | None = Field(None, pattern=r"^[a-z0-9_-]+$", description="Its name in commands and records.")
    id: str | None = Field(None, description="Its id in the database.")
    external_id: str | None = Field(None, alias="externalId", description="Its id in another system.")
    description: str | None = Field(None, description="What the score measures.")
    disabled: bool = Field(False, description="Never scored; scores that depend on it fail.")
    depends_on: Dependencies = Field(default_factory=dict)
    item: Preparation | None = Field(None, description="How the text is prepared before scoring.")
    data: Data | None = Field(None, description="Labelled texts for training.")
    validation: Validation | None = Field(None, description="Checks of the result; one that fails them is a failure.")
    tests: list[Case] = Field(
        default_factory=list, description="Texts with their expected values, run by `plexus test`."
    )


#: The parameters of a request to a model, as LangChain names them.
PARAMETERS = ("temperature", "max_tokens", "top_p", "seed", "reasoning_effort", "verbosity")
_LIMITS = ("max_tokens", "max_completion_tokens")


class ModelPrice(Model):
    """The price of a model in US dollars per million tokens, in place of the library's own table."""

    input: float = Field(ge=0, description="Input tokens.")
    output: float = Field(ge=0, description="Output tokens.")
    cached: float | None = Field(
        None, ge=0, description="Input tokens read from the provider's cache; default: `input`."
    )
    written: float | None = Field(
        None, ge=0, description="Input tokens written to the provider's cache; default: `input`."
    )
    written_hour: float | None = Field(
        None, ge=0, description="Input tokens written to the cache for an hour; default: `written`."
    )
    reasoning: float | None = Field(None, ge=0, description="Reasoning tokens; default: `output`.")


class ModelSettings(Model):
    """The language model to call; a node's own keys override the score's.

    A parameter that is not written is not sent.
    """

    model_provider: str | None = Field(
        None, description="bedrock, openai, azure, anthropic, ollama, or replay for a cassette."
    )
    model_name: str | None = Field(None, description="The model's name at its provider.")
    model_region: str | None = Field(None, description="The provider's region, for Bedrock.")
    base_url: str | None = Field(None, description="The provider's address, for Ollama and gateways.")
    temperature: float | None = Field(
        None, ge=0, le=2, description="The randomness of replies, 0 for the least; null for the provider's default."
    )
    max_tokens: int | None = Field(None, ge=1, description="The most output tokens, reasoning included.")
    max_completion_tokens: int | None = Field(None, ge=1, description="Another name of `max_tokens`.")
    top_p: float | None = Field(None, ge=0, le=1, description="The share of probability from which tokens are drawn.")
    seed: int | None = Field(None, description="Makes replies repeatable, as far as the provider supports it.")
    reasoning_effort: str | None = Field(
        None, min_length=1, description="How much the model reasons, in the provider's words: none, low, high …"
    )
    verbosity: str | None = Field(None, min_length=1, description="How long replies are: low, medium, high.")
    price: ModelPrice | None = Field(None, description="The model's price, in place of the library's own table.")

    @model_validator(mode="after")
    def _check_limit_names(self) -> ModelSettings:
        if self.model_fields_set.issuperset(_LIMITS):
            raise ValueError("`max_tokens` and `max_completion_tokens` are two names of one limit: write one of them")
        return self

    @model_serializer(mode="wrap")
    def _mark_nulls(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Tell a parameter that is null, which is not sent, from one that is not written and may be the score's."""
        content: dict[str, object] = dump(self)
        for name in {*PARAMETERS, "max_completion_tokens", "price"}.intersection(content):
            if content[name] is None:
                content[name] = "null" if name in self.model_fields_set else None
        return content

    def list_parameters(self) -> dict[str, float | int | str | None]:
        """Return the parameters that are written here, by LangChain's names; None for one that is null."""
        written = {name: getattr(self, name) for name in (*PARAMETERS, _LIMITS[1]) if name in self.model_fields_set}
        return {_LIMITS[0] if name == _LIMITS[1] else name: value for name, value in written.items()}
