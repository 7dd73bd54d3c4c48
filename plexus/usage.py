"""The use of language models: calls and tokens."""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of language models: `calls` made, `input_tokens` sent, `output_tokens` received.

    `cached_tokens` are those input tokens that the provider read from its cache, `written_tokens` those that it wrote
    to the cache, of them `hour_tokens` for an hour instead of minutes, and `reasoning_tokens` those output tokens that
    are not part of the answer; all are 0 if the provider does not report them. `unmetered` counts calls whose tokens
    the provider did not report: their tokens and their cost are unknown, and not 0.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    unmetered: int = 0
    written_tokens: int = 0
    hour_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*map(operator.add, _counts(self), _counts(other)))

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return dict(zip(_NAMES, _counts(self), strict=True))


_NAMES = tuple(each.name for each in fields(Usage))
_counts = operator.attrgetter(*_NAMES)
NO_USAGE = Usage()
