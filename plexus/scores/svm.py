"""SVMClassifier: a trained linear model from an artifact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import override

from plexus.configuration.learned import SVMClassifier
from plexus.context import Context
from plexus.learning.svm import SVMModel
from plexus.scores.artifact import folder_of
from plexus.scores.base import Request, Scorer
from plexus.values import Outcome


class SVMScorer(Scorer[SVMClassifier]):
    """Scores a whole batch at once."""

    @override
    def prepare(self, context: Context) -> None:
        """Loads the model."""
        self.model = SVMModel.load(folder_of(self.configuration, context))

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """One result per request."""
        classes, confidences = self.model.predict([request.text for request in requests])
        return [self._result(*pair) for pair in zip(classes, confidences, strict=True)]

    def _result(self, label: str, confidence: float) -> Any:
        least = self.configuration.minimum_confidence
        if least is not None and confidence < least:
            said = f"{label} at {confidence:.0%}, below the least confidence of {least:.0%}."
            return self.result(self.configuration.uncertain, said, confidence=confidence)
        return self.result(label, None, confidence=confidence)
