"""What every scorer is: it takes items in batches and gives one outcome for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from plexus import values
from plexus.context import Context
from plexus.values import Item, Outcome, Result

Configuration = TypeVar("Configuration")


class Request(NamedTuple):
    """One processed item, and the results of the scores that this one depends on, by name."""

    item: Item
    results: Mapping[str, Result]

    @property
    def text(self) -> str:
        """The item's text; the scheduler lets no item without one come this far."""
        return self.item.text or ""


class Scorer(ABC, Generic[Configuration]):
    """Made once for a configuration, then used for any number of batches, from several threads at once."""

    def __init__(self, configuration: Configuration, configuration_hash: str, context: Context) -> None:
        self.configuration = configuration
        self.configuration_hash = configuration_hash
        self.prepare(context)

    def prepare(self, context: Context) -> None:
        """Loads what the scorer needs, once."""

    @abstractmethod
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """One outcome per request, in order; an error of one request does not touch the others."""

    def result(
        self,
        value: str,
        explanation: str | None = None,
        confidence: float | None = None,
        trace: Mapping[str, Any] | None = None,
    ) -> Result:
        """A result with this configuration as its provenance, of a score that asks no model."""
        return values.found(value, explanation, confidence, {} if trace is None else trace, self.configuration_hash)
