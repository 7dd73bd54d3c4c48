"""The trained scores: SVMClassifier and ExplainableClassifier. A model from an artifact scores a whole batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from plexus.configuration.scores import ExplainableClassifier, SVMClassifier, TrainedScore
from plexus.context import Context
from plexus.exceptions import ArtifactMissing, InvalidArtifact
from plexus.scores.scorer import Request, Scorer
from plexus.values import Outcome, Result

if TYPE_CHECKING:
    from plexus.learning.explainable import ExplainedBatch

Trained = TypeVar("Trained", bound=TrainedScore)

# `%` is measurably faster in a batch than an f-string with a format.
_FOR, _AGAINST = "“%s” +%.2f", "“%s” −%.2f"
NO_TERM = "No term of the text weighed in: it was decided by what the text does not hold."


class _TrainedScorer(Scorer[Trained]):
    """Replaces a value below the score's minimum confidence."""

    def _create_result(
        self, label: str, confidence: float, explanation: str = "", trace: Mapping[str, object] | None = None
    ) -> Result:
        least = self.configuration.minimum_confidence
        if least is not None and confidence < least:
            doubt = f"{label} at {confidence:.0%}, below the least confidence of {least:.0%}."
            label, explanation = self.configuration.uncertain, f"{doubt} {explanation}".rstrip()
        return self.result(label, explanation or None, confidence, trace)


class SVMScorer(_TrainedScorer[SVMClassifier]):
    """Classifies with a linear support vector machine; the confidence is calibrated, and there is no explanation."""

    @override
    def prepare(self, context: Context) -> None:
        """Load the model."""
        from plexus.learning.svm import SVMModel

        self.model = SVMModel.load(open_artifact(self.configuration, context))

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """Return one result per request."""
        classes, confidences = self.model.predict([request.text for request in requests])
        return [self._create_result(*pair) for pair in zip(classes, confidences, strict=True)]


class ExplainableScorer(_TrainedScorer[ExplainableClassifier]):
    """Classifies with XGBoost; the explanation lists the terms that contributed most to the class's log-odds."""

    @override
    def prepare(self, context: Context) -> None:
        """Load the model."""
        from plexus.learning.explainable import ExplainableModel

        self.model = ExplainableModel.load(open_artifact(self.configuration, context))

    @override
    def score(self, requests: Sequence[Request], context: Context) -> list[Outcome]:
        """Return one result per request."""
        batches = self.model.explain([request.text for request in requests], self.configuration.top_terms)
        return [outcome for batch in batches for outcome in self._create_results(batch)]

    def _create_results(self, batch: ExplainedBatch) -> Iterator[Outcome]:
        import numpy

        phrases = describe_terms(batch.terms, batch.contributions.tolist())
        # float64 holds a float32 exactly, so this rounds each as Python's `round` would.
        rounded = numpy.round(batch.contributions.astype(numpy.float64), 4).tolist()
        for label, confidence, (begin, end) in zip(
            batch.labels, batch.confidences, pairwise(batch.bounds), strict=True
        ):
            trace = {"terms": dict(zip(batch.terms[begin:end], rounded[begin:end], strict=True))}
            yield self._create_result(label, confidence, ", ".join(phrases[begin:end]) or NO_TERM, trace)


def describe_terms(terms: Iterable[str], contributions: Iterable[float]) -> list[str]:
    """Format each term with its contribution to the class's log-odds: `“refund” +1.20`, `“great” −0.35`."""
    pairs = zip(terms, contributions, strict=True)
    return [_FOR % (term, share) if share >= 0 else _AGAINST % (term, -share) for term, share in pairs]


def open_artifact(configuration: TrainedScore, context: Context) -> Path:
    """Return the folder of the model's artifact on this machine, fetched and verified if needed.

    Raises ArtifactMissing with the command that trains the model, or InvalidArtifact.
    """
    name, digest = configuration.name, configuration.artifact
    if digest is None:
        raise ArtifactMissing(
            f"the score {name!r} has no trained model. "
            f"next: python -m plexus train CARD.yaml --score {name!r} --write FILE"
        )
    if context.artifacts is None:
        raise ArtifactMissing(f"the score {name!r} needs the artifact {digest}, but there is no artifact store")
    try:
        return context.artifacts.get(digest)
    except InvalidArtifact as error:
        raise InvalidArtifact(f"the score {name!r}: {error}") from None
