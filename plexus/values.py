"""What goes into a score and what comes out of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from decimal import Decimal
from typing import Any

from plexus.exceptions import PlexusError

#: Part of every result's provenance: change it when the same scorecard may give another value.
ENGINE_VERSION = "1.0.0"


@dataclass(frozen=True, slots=True)
class Item:
    """A text with what is known about it; `metadata` reaches templates and processors."""

    text: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What language models were asked for: `calls` made, `input_tokens` sent, `output_tokens` received."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Result:
    """A score's value for one item, with where it came from.

    `confidence` lies in 0–1, or is None where the score has none. `cost` is in US dollars, None where no model was
    asked or its price is unknown. `trace` holds JSON values only. The hashes are SHA-256 in hex.
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
        """JSON values only; the cost as a string, so that no digit is lost."""
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
            "usage": {
                "calls": self.usage.calls,
                "input_tokens": self.usage.input_tokens,
                "output_tokens": self.usage.output_tokens,
            },
        }


#: A Result's slots without what seals them.
_Draft: Any = make_dataclass("_Draft", [each.name for each in fields(Result)], slots=True, eq=False, repr=False)


def found(
    value: str, explanation: str | None, confidence: float | None, trace: Mapping[str, Any], configuration_hash: str
) -> Result:
    """The Result of a score that asks no model: what its class makes of the same, in a quarter of the time.

    A frozen dataclass sets each field by a call, which batches feel. A draft is filled plainly and then made a Result:
    an object may change to a class that has the same slots.
    """
    made: Any = _Draft(
        value, explanation, confidence, None, trace, "200", None, None, configuration_hash, ENGINE_VERSION, NO_USAGE
    )
    made.__class__ = Result
    sealed: Result = made
    return sealed


def plain(value: Any) -> Any:
    """The value as JSON can say it, for a trace: of a result its value, of anything that JSON has not its text."""
    if isinstance(value, Result):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


#: What became of one score for one item: its result, or the error that says why there is none.
Outcome = Result | PlexusError
