"""The interface of scorers: items in batches, one outcome for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from plexus.context import Context
from plexus.values import Item, Outcome, Result, create_result

Configuration = TypeVar("Configuration")


class Request(NamedTuple):
    """One item, processed, and the results of the score's dependencies by name; skipped ones are left out."""

    item: Item
    results: Mapping[str, Result]

    @property
    def text(self) -> str:
        """The item's text; never blank, because the scheduler refuses such items."""
        return self.item.text or ""


class Scorer(ABC, Generic[Configuration]):
    """Scores items as one configuration says. It is created once and used for any number of batches.

    Several threads call `score` concurrently, so it must not change the scorer.
    """

    def __init__(self, configuration: Configuration, configuration_hash: str, context: Context) -> None:
        self.configuration = configuration
        self.configuration_hash = configuration_hash
        self.prepare(context)

    def prepare(self, context: Context) -> None:
        """Compile patterns, load the model: all work that is done once. Raises ArtifactMissing or InvalidArtifact."""

    @abstractmethod
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """Return one outcome per request, in order. A request's error is its outcome and does not affect the others."""

    def result(
        self,
        value: str,
        explanation: str | None = None,
        confidence: float | None = None,
        trace: Mapping[str, object] | None = None,
    ) -> Result:
        """Create a result that names this configuration as its provenance, for scores that call no model."""
        return create_result(value, explanation, confidence, {} if trace is None else trace, self.configuration_hash)
