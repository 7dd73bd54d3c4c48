"""What every score may say, whatever its class."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from plexus.configuration.processors import Processor

OPERATORS = ("==", "!=", "in", "not in")
Scalar = str | int | float | bool


class Model(BaseModel):
    """Unknown keys are errors, types are never coerced, values cannot be changed afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Condition(Model):
    """What the value of a dependency must be; text is compared after folding case and spaces."""

    operator: Literal["==", "!=", "in", "not in"] = "=="
    value: Any

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

    processors: list[Processor] | None = None


class Data(Processing):
    """Where labelled texts are: a CSV, JSONL or Parquet file beside the scorecard, and the names of two columns."""

    file: str | None = None
    text: str = "text"
    label: str = "label"


class Rule(Model):
    """What a value or an explanation must satisfy; anything else fails the score."""

    valid_classes: list[str] | None = Field(None, min_length=1)
    patterns: list[str] | None = Field(None, min_length=1, description="At least one must match somewhere (RE2).")
    minimum_length: int | None = Field(None, ge=0)
    maximum_length: int | None = Field(None, ge=0)


class Validation(Model):
    """Checks after scoring: a result that does not pass is a failure, never a value."""

    value: Rule | None = None
    explanation: Rule | None = None


class Case(Model):
    """A test beside a score: the value that a text must get. `results` stands in for the dependencies' values."""

    name: str | None = None
    text: str
    metadata: dict[str, Any] = Field(default_factory=dict)
    results: dict[str, str] = Field(default_factory=dict)
    value: str
    explanation_contains: str | None = None


class Score(Model):
    """The keys that every class of score has."""

    name: str = Field(min_length=1)
    key: str | None = Field(None, pattern=r"^[a-z0-9_-]+$")
    id: str | None = None
    external_id: str | None = Field(None, alias="externalId")
    description: str | None = None
    disabled: bool = False
    depends_on: Dependencies = Field(default_factory=dict)
    item: Processing | None = None
    data: Data | None = None
    validation: Validation | None = None
    tests: list[Case] = Field(default_factory=list)


class ModelSettings(Model):
    """Which language model is asked, and how; a node's own keys go before the score's."""

    model_provider: str | None = None
    model_name: str | None = None
    model_region: str | None = None
    base_url: str | None = Field(None, description="Where the provider is, for Ollama and gateways.")
    temperature: float | None = Field(None, ge=0, le=2, description="0 when neither node nor score says otherwise.")
    max_tokens: int | None = Field(None, ge=1, description="500 when neither node nor score says otherwise.")
