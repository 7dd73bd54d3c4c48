"""CompositeScore: an expression over the values of other scores."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from plexus.configuration.scores import CompositeScore
from plexus.context import Context
from plexus.exceptions import PlexusError, ScoringFailed
from plexus.language.expression import Expression
from plexus.language.templates import Template
from plexus.scores.scorer import Request, Scorer
from plexus.text import fold
from plexus.values import Outcome, format_value


class CompositeScorer(Scorer[CompositeScore]):
    """Evaluates the expression for each item. It is deterministic, so it states no confidence and costs nothing."""

    @override
    def prepare(self, context: Context) -> None:
        """Compile the expression and the explanation."""
        configuration = self.configuration
        self.expression = Expression(configuration.expression)
        self.explanation = Template(configuration.explanation) if configuration.explanation is not None else None
        # Folded spelling → declared spelling: the result always has the declared one.
        self.values = {fold(value): value for value in configuration.values or []}

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """Return one outcome per request; a value that is not among the configured ones is a ScoringFailed."""
        return [self._evaluate(request) for request in requests]

    def _evaluate(self, request: Request) -> Outcome:
        state = {"text": request.text, "metadata": request.item.metadata, "results": request.results}
        try:
            value = format_value(self.expression(state), self.configuration.name)
            if self.values and fold(value) not in self.values:
                expected = ", ".join(self.values.values())
                return ScoringFailed(f"{self.configuration.name}: the expression gave none of its values ({expected})")
            value = self.values.get(fold(value), value)
            explanation = None if self.explanation is None else self.explanation.render({**state, "value": value})
            return self.result(value, explanation)
        except PlexusError as error:
            return error
