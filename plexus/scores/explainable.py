"""ExplainableClassifier: a boosted model from an artifact; the explanation names the terms that decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from plexus.configuration.learned import ExplainableClassifier
from plexus.context import Context
from plexus.learning.explainable import ExplainableModel, Prediction
from plexus.scores.artifact import folder_of
from plexus.scores.base import Request, Scorer
from plexus.values import Outcome


class ExplainableScorer(Scorer[ExplainableClassifier]):
    """Scores a whole batch at once."""

    @override
    def prepare(self, context: Context) -> None:
        """Loads the model."""
        self.model = ExplainableModel.load(folder_of(self.configuration, context))

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """One result per request."""
        texts = [request.text for request in requests]
        return [self._result(found) for found in self.model.predictions(texts, self.configuration.top_terms)]

    def _result(self, found: Prediction) -> Any:
        least, said = self.configuration.minimum_confidence, explanation(found)
        trace = {"terms": {term.text: round(term.contribution, 4) for term in found.terms}}
        if least is not None and found.confidence < least:
            said = f"{found.label} at {found.confidence:.0%}, below the least confidence of {least:.0%}. {said}"
            return self.result(self.configuration.uncertain, said, confidence=found.confidence, trace=trace)
        return self.result(found.label, said, confidence=found.confidence, trace=trace)


def explanation(found: Prediction) -> str:
    """`“refund” +1.20, “great” −0.35`: what each term added to the log-odds of the class, the weightiest first."""
    if not found.terms:
        return "No term of the text weighed in: it was decided by what the text does not hold."
    return ", ".join(f"“{term.text}” {_signed(term.contribution)}" for term in found.terms)


def _signed(contribution: float) -> str:
    return f"{contribution:+.2f}".replace("-", "−")
