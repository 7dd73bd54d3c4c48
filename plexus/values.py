"""The values that go into scoring and come out of it: Item, Result, Usage, Outcome."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plexus.exceptions import PlexusError, ScoringFailed
from plexus.usage import NO_USAGE, Usage

#: Part of every result's provenance. Change it when the same scorecard may give another value.
ENGINE_VERSION = "1.2.0"


@dataclass(frozen=True, slots=True)
class Item:
    """A text to score, with its metadata.

    `metadata` holds JSON values; templates, expressions and processors can read it. An item without a text, or with
    a blank one, gets an ItemWithoutText as its outcome.
    """

    text: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """A score's value for one item, with its provenance.

    `confidence` is from 0 to 1; None if the score states none. `cost` is in US dollars; None if no model was called,
    or if a price or the tokens of a call are unknown. `trace` holds JSON values only. `prompt_hash` and
    `configuration_hash` are SHA-256 in hex.
    """

    value: str
    explanation: str | None = None
    confidence: float | None = None
    cost: Decimal | None = None
    trace: Mapping[str, Any] = field(default_factory=dict)
    code: str = "200"
    model: str | None = None
    prompt_hash: str | None = None
    configuration_hash: str = ""
    engine_version: str = ENGINE_VERSION
    usage: Usage = NO_USAGE

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON values; the cost becomes a string, which keeps every digit."""
        return {
            "value": self.value,
            "explanation": self.explanation,
            "confidence": self.confidence,
            "cost": None if self.cost is None else str(self.cost),
            "trace": dict(self.trace),
            "code": self.code,
            "model": self.model,
            "prompt_hash": self.prompt_hash,
            "configuration_hash": self.configuration_hash,
            "engine_version": self.engine_version,
            "usage": self.usage.as_dict(),
        }


def sum_spent(outcome: Result | PlexusError) -> tuple[Usage, Decimal | None]:
    """Return the usage and the cost of a result, or of the calls before an error."""
    if isinstance(outcome, Result):
        return outcome.usage, outcome.cost
    return outcome.spent or (NO_USAGE, None)


#: What scoring one item gives: its result, or the error that explains why there is none.
Outcome = Result | PlexusError

if TYPE_CHECKING:
    _Draft = Result
else:
    #: The slots of Result, without the frozen dataclass' guard.
    _Draft = make_dataclass("_Draft", [each.name for each in fields(Result)], slots=True, eq=False, repr=False)


def create_result(
    value: str,
    explanation: str | None,
    confidence: float | None,
    trace: Mapping[str, object],
    configuration_hash: str,
) -> Result:
    """Create the Result of a score that calls no model: equal to `Result(...)`, in a quarter of the time.

    A frozen dataclass sets each field through `object.__setattr__`, which is measurable in a batch. A draft sets its
    slots directly and then becomes a Result: Python lets an object change to a class with the same slots.
    """
    draft = _Draft(
        value, explanation, confidence, None, trace, "200", None, None, configuration_hash, ENGINE_VERSION, NO_USAGE
    )
    draft.__class__ = Result
    return draft


def to_json(value: object) -> object:
    """Convert a value to JSON for a trace: a Result becomes its value, anything JSON cannot express its `str`."""
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Result):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_json(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(member) for member in value]
    return str(value)


def format_value(value: object, name: str) -> str:
    """Convert what an expression or a node computed to a result's value: true is Yes, false is No, 3.0 is 3.

    `name` is the score or node that errors name. Raises ScoringFailed for an empty string, NaN, an infinity, and
    anything but text, a number or a boolean.
    """
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float) and not math.isfinite(value):
        raise ScoringFailed(f"{name!r} gave no value: got {value}, expected text, a finite number or a boolean")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (str, int, float)) or value == "":
        got = "an empty text" if value == "" else f"a {type(value).__name__}"
        raise ScoringFailed(f"{name!r} gave no value: got {got}, expected text, a number or a boolean")
    return str(value)
