"""CompositeScore: an expression over the values of other scores."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from plexus.configuration.learned import CompositeScore
from plexus.context import Context
from plexus.exceptions import PlexusError, ScoringFailed
from plexus.expression import Expression
from plexus.graph.nodes.logical import as_value
from plexus.graph.templates import Template
from plexus.scores.base import Request, Scorer
from plexus.text import fold
from plexus.values import Outcome


class CompositeScorer(Scorer[CompositeScore]):
    """Deterministic, so it states no confidence; it asks nobody, so it costs nothing."""

    @override
    def prepare(self, context: Context) -> None:
        """Parses the expression and the explanation once."""
        configuration = self.configuration
        self.expression = Expression(configuration.expression)
        self.explanation = Template(configuration.explanation) if configuration.explanation is not None else None
        self.values = {fold(each): each for each in configuration.values or []}

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """One outcome per request."""
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Outcome:
        state = {"text": request.text, "metadata": request.item.metadata, "results": request.results}
        try:
            value = as_value(self.expression(state), self.configuration.name)
            if self.values and fold(value) not in self.values:
                wanted = ", ".join(self.values.values())
                return ScoringFailed(f"{self.configuration.name}: the expression gave none of its values ({wanted})")
            value = self.values.get(fold(value), value)
            said = None if self.explanation is None else self.explanation.render({**state, "value": value})
            return self.result(value, said)
        except PlexusError as error:
            return error
