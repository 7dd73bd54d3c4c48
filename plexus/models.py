"""The columns of the table of models beside prices: refused parameters, and the size of the window."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plexus import prices


@dataclass(frozen=True)
class Limits:
    """The limits of a model; empty or None if the table does not know them.

    `refuses` are parameters whose values other than the provider's default fail the request, `efforts` the accepted
    values of `reasoning_effort`. `window` is the most input tokens, `max_output` the most output tokens.
    """

    refuses: frozenset[str] = frozenset()
    efforts: tuple[str, ...] = ()
    window: int | None = None
    max_output: int | None = None

    @classmethod
    def of_row(cls, row: Mapping[str, object]) -> Limits:
        """Build the limits from a row of the table.

        Columns that the row does not have set no limit.
        """
        refuses, efforts = (row.get(name) or [] for name in ("refuses", "efforts"))
        window, most = (row.get(name) for name in ("window", "max_output"))
        assert isinstance(refuses, list)
        assert isinstance(efforts, list)
        return cls(
            frozenset(refuses),
            tuple(efforts),
            window if isinstance(window, int) else None,
            most if isinstance(most, int) else None,
        )

    def find_problems(self, parameters: Mapping[str, object]) -> dict[str, str]:
        """Return why the model refuses a request: parameter → reason; empty if it accepts all parameters.

        A value of 1, every provider's default, is never refused, and nothing is if `reasoning_effort` is none. Unknown
        parameters are accepted.
        """
        by_name: dict[str, str] = {}
        effort = parameters.get("reasoning_effort")
        for name, value in parameters.items():
            # Models that can answer without reasoning accept a temperature then; 1 is the default of every provider.
            is_default = value == 1 or (name != "reasoning_effort" and effort == "none")
            if name in self.refuses and not is_default:
                by_name[name] = "the model refuses it"
        if effort is not None and "reasoning_effort" not in by_name and self.efforts and effort not in self.efforts:
            by_name["reasoning_effort"] = f"the model accepts {', '.join(self.efforts)}"
        most = parameters.get("max_tokens")
        if self.max_output is not None and isinstance(most, int) and most > self.max_output:
            by_name["max_tokens"] = f"the model gives at most {self.max_output} tokens"
        return by_name


def find_limit_file(table: Path = prices.TABLE) -> Path:
    """Return the file of limits beside a table of prices: the image has the prices only."""
    return table.with_name("model_limits.toml")


@functools.cache
def read_rows() -> dict[str, dict[str, object]]:
    """Return a row of rates and limits for each `provider:name` of the library's own table."""
    limits = prices.read_rows(find_limit_file())[2]
    return {name: row | limits[name] for name, row in prices.read_rows()[2].items()}


def find_limits(model_id: str) -> Limits:
    """Return the limits of a model (`provider:name`); those of a model that the table does not have are empty."""
    row = prices.find_row(model_id, read_rows())
    return Limits() if row is None else Limits.of_row(row)
