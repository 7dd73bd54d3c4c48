"""What language models cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from plexus.values import Usage

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: Decimal
    output: Decimal

    def of(self, usage: Usage) -> Decimal:
        """What the usage costs."""
        return (self.input * usage.input_tokens + self.output * usage.output_tokens) / _MILLION
