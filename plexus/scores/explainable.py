"""ExplainableClassifier: a boosted model from an artifact; the explanation names the terms that decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from typing_extensions import override

from plexus.configuration.learned import ExplainableClassifier
from plexus.context import Context
from plexus.learning.explainable import Decided, ExplainableModel
from plexus.scores.artifact import folder_of
from plexus.scores.base import Request, Scorer
from plexus.values import Outcome

#: By `%`, which batches feel less than f-strings with a format.
_FOR, _AGAINST = "“%s” +%.2f", "“%s” −%.2f"
NO_TERM = "No term of the text weighed in: it was decided by what the text does not hold."


class ExplainableScorer(Scorer[ExplainableClassifier]):
    """Scores a whole batch at once."""

    @override
    def prepare(self, context: Context) -> None:
        """Loads the model."""
        self.model = ExplainableModel.load(folder_of(self.configuration, context))

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """One result per request."""
        decided = self.model.decided([request.text for request in requests], self.configuration.top_terms)
        return [outcome for some in decided for outcome in self._results(some)]

    def _results(self, decided: Decided) -> Iterator[Outcome]:
        import numpy

        words = said(decided.terms, decided.added.tolist())
        # Of a float32 float64 holds ten thousand times as much exactly: this is what `round` gives of each.
        rounded = numpy.round(decided.added.astype(numpy.float64), 4).tolist()
        for label, confidence, (begin, end) in zip(
            decided.labels, decided.confidences, pairwise(decided.bounds), strict=True
        ):
            trace = {"terms": dict(zip(decided.terms[begin:end], rounded[begin:end], strict=True))}
            yield self._result(label, confidence, ", ".join(words[begin:end]) or NO_TERM, trace)

    def _result(self, label: str, confidence: float, explanation: str, trace: dict[str, Any]) -> Outcome:
        least = self.configuration.minimum_confidence
        if least is not None and confidence < least:
            explanation = f"{label} at {confidence:.0%}, below the least confidence of {least:.0%}. {explanation}"
            label = self.configuration.uncertain
        return self.result(label, explanation, confidence, trace)


def said(terms: Iterable[str], added: Iterable[float]) -> list[str]:
    """`“refund” +1.20`, `“great” −0.35`: what each term added to the log-odds of the class."""
    pairs = zip(terms, added, strict=True)
    return [_FOR % (term, share) if share >= 0 else _AGAINST % (term, -share) for term, share in pairs]
