"""What surrounds a call: time, money, artifacts. Scores get it as an argument and look nowhere else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.exceptions import DeadlineExceeded

if TYPE_CHECKING:
    from plexus.artifacts import Artifacts
    from plexus.graph.prices import Price


@dataclass(frozen=True)
class Context:
    """`deadline` is a time of `time.monotonic()`, None for no limit; `folder` is what relative paths start from.

    `offline` forbids calls to providers: models are replayed from the score's cassette. `record` names the cassette
    file that real replies are added to, asked of `model` (`provider:name`) where that is given. Once `budget` (US
    dollars per score and item) is spent, no more calls are made.
    """

    deadline: float | None = None
    artifacts: Artifacts | None = None
    folder: Path | None = None
    offline: bool = False
    record: Path | None = None
    model: str | None = None
    budget: Decimal | None = None
    prices: Mapping[str, Price] | None = None
    workers: int = 8

    def remaining(self) -> float | None:
        """Seconds left, None when there is no limit. Raises DeadlineExceeded when none are left."""
        if self.deadline is None:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("the deadline passed before the score was finished")
        return left
