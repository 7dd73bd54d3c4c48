"""What language models cost: the project's own table (prices.toml), which a caller can replace."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from plexus.values import Usage

TABLE = Path(__file__).with_name("prices.toml")
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: Decimal
    output: Decimal

    def of(self, usage: Usage) -> Decimal:
        """What the usage costs."""
        return (self.input * usage.input_tokens + self.output * usage.output_tokens) / _MILLION


def read(path: Path = TABLE) -> tuple[date, dict[str, Price]]:
    """The day on which the prices were looked up, and the prices by `provider:name` (or its beginning)."""
    content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    prices = {name: Price(Decimal(each["input"]), Decimal(each["output"])) for name, each in content["models"].items()}
    return content["as_of"], prices


@functools.cache
def _own() -> dict[str, Price]:
    return read()[1]


def find(model_id: str, table: Mapping[str, Price] | None = None) -> Price | None:
    """The price of `provider:name`: the longest entry that it begins with; None when there is none."""
    known = _own() if table is None else table
    fitting = [name for name in known if model_id.startswith(name)]
    return known[max(fitting, key=len)] if fitting else None
