"""One run: rows in chunks through the scores, each chunk kept before the next begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import plexus
from plexus.exceptions import NotApplicable
from plexus.running.source import Row

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Scorecard

CHUNK = 256
SHOWN = 5


@dataclass
class Tally:
    """What became of the rows: failures and skips by score, the first errors, and what models cost."""

    rows: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced: int = 0
    cost: Decimal = Decimal()

    def count(self, row: Mapping[str, Any]) -> None:
        """Adds a scored row."""
        self.rows += 1
        for score, found in row["results"].items():
            if found.get("error") == NotApplicable.__name__:
                self.skipped[score] += 1
            elif "error" in found:
                self.failed[score] += 1
                if len(self.first) < SHOWN:
                    self.first.append(f"row {row['row']}, {score}: {found['error']}: {found['message']}")
            else:
                self._spend(found["usage"], found["cost"])

    def _spend(self, usage: Mapping[str, int], cost: str | None) -> None:
        self.calls += usage["calls"]
        self.input_tokens += usage["input_tokens"]
        self.output_tokens += usage["output_tokens"]
        self.unpriced += bool(usage["calls"]) and cost is None
        self.cost += Decimal(cost or 0)


def identity(scorecard: Scorecard, names: Sequence[str]) -> dict[str, Any]:
    """What decides the values of a run beside its texts: the scores with all that they depend on, and the engine."""
    from plexus import scheduler

    planned = scheduler.plan(scorecard, [scorecard.find(name) for name in names])
    hashes = {name: planned[name].configuration_hash for name in sorted(planned)}
    return {"scorecard": hashes, "scores": list(names), "engine": plexus.ENGINE_VERSION}


def scored(
    scorecard: Scorecard, names: Sequence[str], rows: Iterable[Row], context: Context
) -> Iterator[list[dict[str, Any]]]:
    """Chunks of scored rows, in order; a row holds its number, its id, and a result or an error for each score."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        outcomes = plexus.score_all(scorecard, [row.item for row in chunk], names=names, context=context)
        yield [
            {
                "row": row.number,
                "id": row.id,
                "results": {name: as_dict(found[place]) for name, found in outcomes.items()},
            }
            for place, row in enumerate(chunk)
        ]


def as_dict(outcome: Any) -> dict[str, Any]:
    """A result, or the kind and message of the error in its place."""
    if isinstance(outcome, Exception):
        return {"error": type(outcome).__name__, "message": str(outcome)}
    made: dict[str, Any] = outcome.as_dict()
    return made


def go_on(
    chunks: Iterable[list[dict[str, Any]]], keep: Callable[[list[dict[str, Any]]], None], step: Callable[[int], None]
) -> None:
    """Keeps each chunk, then tells how many rows more are done."""
    for chunk in chunks:
        keep(chunk)
        step(len(chunk))
