"""What every score may say, whatever its class."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from plexus.configuration.processors import Processor, Words, in_order

OPERATORS = ("==", "!=", "in", "not in")


class Model(BaseModel):
    """Unknown keys are errors, types are never coerced, values cannot be changed afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Condition(Model):
    """What the value of a dependency must be; text is compared after folding case and spaces."""

    operator: Literal["==", "!=", "in", "not in"] = Field("==", description="How the values are compared.")
    value: Any = Field(description="One value, or a list for `in` and `not in`.")

    @model_validator(mode="after")
    def _list_only_for_membership(self) -> Condition:
        if isinstance(self.value, list) != (self.operator in ("in", "not in")):
            wanted = "a list of values" if self.operator in ("in", "not in") else "one value"
            raise ValueError(f"the operator {self.operator!r} takes {wanted}")
        return self


def _dependencies(value: Any) -> Any:
    """A list orders only; a map adds conditions. Both become name → condition or None."""
    if isinstance(value, list):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("expected names of scores")
        return dict.fromkeys(value)
    if not isinstance(value, dict):
        raise ValueError("expected a list of scores, or a map from score to value")
    return {
        name: wanted if isinstance(wanted, dict) or wanted is None else _condition(wanted)
        for name, wanted in value.items()
    }


def _condition(wanted: Any) -> dict[str, Any]:
    return {"operator": "in" if isinstance(wanted, list) else "==", "value": wanted}


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
    BeforeValidator(_dependencies),
    WithJsonSchema(
        {
            "description": "Scores that come first: a list orders only, a map sets conditions on their values.",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": _CONDITION_SCHEMA},
            ],
        }
    ),
]


class Processing(Model):
    """`processors` replace the scorecard's own for this score."""

    processors: list[Processor] | None = Field(None, description="In this order; in place of the scorecard's own.")


class Data(Processing):
    """Where labelled texts are: a CSV, JSONL or Parquet file beside the scorecard, and the names of two columns."""

    file: str | None = Field(None, description="A CSV, JSONL or Parquet file; its path starts at the scorecard.")
    text: str = Field("text", description="The column of the texts.")
    label: str = Field("label", description="The column of the labels.")


class Rule(Model):
    """What a value or an explanation must satisfy; anything else fails the score."""

    valid_classes: list[Words] | None = Field(
        None, min_length=1, description="The value is one of these (case and spaces folded)."
    )
    patterns: list[str] | None = Field(None, min_length=1, description="At least one must match somewhere (RE2).")
    minimum_length: int | None = Field(None, ge=0, description="In characters.")
    maximum_length: int | None = Field(None, ge=0, description="In characters.")

    @model_validator(mode="after")
    def _in_order(self) -> Rule:
        in_order("minimum_length", self.minimum_length, "maximum_length", self.maximum_length)
        return self


class Validation(Model):
    """Checks after scoring: a result that does not pass is a failure, never a value."""

    value: Rule | None = Field(None, description="What the value must satisfy.")
    explanation: Rule | None = Field(None, description="What the explanation must satisfy.")


class Case(Model):
    """A test beside a score: the value that a text must get, or `skipped`.

    `results` gives values in place of the dependencies' scoring.
    """

    name: str | None = Field(None, description="What the test is called.")
    text: str = Field(description="The text to score.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="What is known about the text.")
    results: dict[str, str] = Field(
        default_factory=dict,
        description="Value of each score that this one depends on, in place of scoring it; `skipped` is one.",
    )
    value: Words = Field(description="The value that must come, or `skipped`.")
    explanation_contains: str | None = Field(None, description="Words that the explanation must hold.")


class Score(Model):
    """The keys that every class of score has."""

    name: str = Field(min_length=1, description="What people call the score; others depend on it by this name.")
    key: str | None = Field(None, pattern=r"^[a-z0-9_-]+$", description="Its name for commands and records.")
    id: str | None = Field(None, description="Its id where it is stored.")
    external_id: str | None = Field(None, alias="externalId", description="Its id elsewhere.")
    description: str | None = Field(None, description="What it tells.")
    disabled: bool = Field(False, description="Not scored; a score that needs it fails.")
    depends_on: Dependencies = Field(default_factory=dict)
    item: Processing | None = Field(None, description="What is done to the text before it is scored.")
    data: Data | None = Field(None, description="Where labelled texts are, for training.")
    validation: Validation | None = Field(
        None, description="Checks of the result; one that does not pass is a failure."
    )
    tests: list[Case] = Field(
        default_factory=list, description="Texts with the value that each must get: `plexus test` runs them."
    )


class ModelSettings(Model):
    """Which language model is asked, and how; a node's own keys go before the score's."""

    model_provider: str | None = Field(
        None, description="bedrock, openai, azure, anthropic, ollama, or replay for a cassette."
    )
    model_name: str | None = Field(None, description="The model's name at its provider.")
    model_region: str | None = Field(None, description="The provider's region, for Bedrock.")
    base_url: str | None = Field(None, description="Where the provider is, for Ollama and gateways.")
    temperature: float | None = Field(None, ge=0, le=2, description="0 when neither node nor score says otherwise.")
    max_tokens: int | None = Field(None, ge=1, description="500 when neither node nor score says otherwise.")
