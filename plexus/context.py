"""The limits and resources of a call: time, money, artifacts. Scorers receive them as an argument only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.exceptions import DeadlineExceeded

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

    from plexus.artifacts import Artifacts
    from plexus.prices import Price


@dataclass(frozen=True)
class Context:
    """What a scoring call may use. The default has no limits and no artifact store.

    deadline: a time of `time.monotonic()`; None for no limit.
    artifacts: the store of trained models and of cassettes that are named by digest.
    folder: where relative paths start; the scorecard's own folder if None.
    card: the scorecard's file in the commands that errors suggest; set from the scorecard.
    texts: the words of those commands that name the texts, quoted for a shell.
    offline: forbid calls to providers; every model is replayed from the score's cassette.
    record: a cassette file to which every real reply is added, and whose replies are used again at no cost.
    renewed: ask again for replies that `record` has.
    model: the model (`provider:name`) that is called in place of the scorecard's while recording.
    budget: US dollars per score and item; once spent, no more calls are made.
    prices: prices by `provider:name`; the library's own table if None.
    traced: let LangChain's tracing variables take effect, by which texts leave the process; never with `offline`.
    exchanges: keep the messages and the reply (None if it failed) of each model call in the trace, also of failures.
    replies: replies of this process to reuse for the same requests, by request; None to ask each time.
    workers: the most threads that run scores, or the items of a graph, concurrently.
    """

    deadline: float | None = None
    artifacts: Artifacts | None = None
    folder: Path | None = None
    card: str = "CARD.yaml"
    texts: str = "TEXT"
    offline: bool = False
    record: Path | None = None
    renewed: bool = False
    model: str | None = None
    budget: Decimal | None = None
    prices: Mapping[str, Price] | None = None
    traced: bool = False
    exchanges: bool = False
    replies: dict[object, AIMessage] | None = None
    workers: int = 8

    def remaining(self) -> float | None:
        """Return the seconds left, None without a deadline. Raises DeadlineExceeded if none are left."""
        if self.deadline is None:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("the deadline passed before the score was finished")
        return left
