"""Prices of language models: the library's own table (models.toml), which a caller or a scorecard can replace."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from plexus.usage import Usage

TABLE = Path(__file__).with_name("models.toml")
#: Tiers of service whose rates differ from the standard ones.
TIERS = ("batch", "priority")
_MILLION = Decimal(1_000_000)
_DATE = re.compile(r"[-@]20\d\d(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])\Z")
Row = TypeVar("Row")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens.

    `cached` is the rate of input tokens that the provider read from its cache (else `input`), `written` of those that
    it wrote to the cache (else `input`), `written_hour` of those that it keeps for an hour (else `written`), and
    `reasoning` that of reasoning tokens (else `output`). `batch` is the price of calls in a batch and of flexible
    processing, `priority` that of prioritized calls, and `long` that of calls of more than `long_above` input tokens.
    """

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    reasoning: Decimal | None = None
    written: Decimal | None = None
    written_hour: Decimal | None = None
    batch: Price | None = None
    priority: Price | None = None
    long_above: int | None = None
    long: Price | None = None

    @classmethod
    def of_rates(cls, row: Mapping[str, object], prefix: str = "") -> Price:
        """Build a price from a row of a table, or from the `price` of a scorecard.

        Raises KeyError if the row has no `input` or no `output`.
        """
        optional = ("cached", "reasoning", "written", "written_hour")
        sent, received = (Decimal(str(row[prefix + name])) for name in ("input", "output"))
        cached, reasoning, written, hour = (_read_rate(row, prefix + name) for name in optional)
        batch, priority = (
            cls.of_rates(row, f"{prefix}{tier}_") if f"{prefix}{tier}_input" in row else None for tier in TIERS
        )
        above = row.get("long_above")
        if prefix or not isinstance(above, int):
            return cls(sent, received, cached, reasoning, written, hour, batch, priority)
        return cls(sent, received, cached, reasoning, written, hour, batch, priority, above, cls.of_rates(row, "long_"))

    @property
    def is_free(self) -> bool:
        """Whether every call costs nothing, however many tokens it has."""
        return self.input == self.output == 0

    def of(self, usage: Usage, tier: str = "") -> Decimal | None:
        """Return the cost of one call in US dollars; None if the rates of its tier are unknown.

        `tier` is `batch`, `priority`, another word of the provider, or empty for a call at the standard rates.
        """
        if self.is_free:
            return Decimal(0)
        if self.long is not None and usage.input_tokens > (self.long_above or 0):
            return self.long.of(usage, tier)
        price = {"": self, "batch": self.batch, "priority": self.priority}.get(tier)
        return None if price is None else price._multiply(usage)

    def _multiply(self, usage: Usage) -> Decimal:
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.written is None else self.written
        hour = written if self.written_hour is None else self.written_hour
        reasoning = self.output if self.reasoning is None else self.reasoning
        return (
            self.input * (usage.input_tokens - usage.cached_tokens - usage.written_tokens)
            + cached * usage.cached_tokens
            + written * (usage.written_tokens - usage.hour_tokens)
            + hour * usage.hour_tokens
            + self.output * (usage.output_tokens - usage.reasoning_tokens)
            + reasoning * usage.reasoning_tokens
        ) / _MILLION


def _read_rate(row: Mapping[str, object], name: str) -> Decimal | None:
    return None if row.get(name) is None else Decimal(str(row[name]))


@functools.cache
def read_rows(path: Path = TABLE) -> tuple[date, str, dict[str, dict[str, object]]]:
    """Read a table of models: the day on which it was looked up, its source, and a row for each `provider:name`."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return content["as_of"], content["source"], content["models"]


@functools.cache
def read_table(path: Path = TABLE) -> tuple[date, dict[str, Price]]:
    """Read the prices of a table of models: the day on which they were looked up, and the prices by `provider:name`."""
    as_of, _, rows = read_rows(path)
    return as_of, {name: Price.of_rates(row) for name, row in rows.items() if "input" in row}


def find_row(model_id: str, table: Mapping[str, Row]) -> Row | None:
    """Return a model's row: by its exact name, else by its name without a date, else `provider:*`; None without a row.

    Names are never matched by their beginning: `gpt-4o-audio-preview` is not billed as `gpt-4o`.
    """
    undated = _DATE.sub("", model_id)
    # Models of Ollama are free only where they run on the own machine.
    provider = "" if model_id.endswith("cloud") else f"{model_id.partition(':')[0]}:*"
    return next((table[name] for name in (model_id, undated, provider) if name in table), None)


def find_price(model_id: str, table: Mapping[str, Price] | None = None) -> Price | None:
    """Return the price of a model (`provider:name`) in the table, by default the library's own; None if unknown."""
    return find_row(model_id, read_table()[1] if table is None else table)
