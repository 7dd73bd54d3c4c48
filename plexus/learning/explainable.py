"""Gradient boosting over TF-IDF terms, with the contribution of each term to the decision.

Contributions are XGBoost's (`pred_contribs`): on the scale of log-odds they add up, with a bias, to the prediction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from plexus.exceptions import InvalidArtifact
from plexus.learning import model_files
from plexus.learning.booster import Booster
from plexus.learning.features import Block, Features

KIND, LIBRARY = "xgboost", "xgboost-cpu"
BLOCKS = (Block("word", (1, 2), maximum_features=50_000, negations=True),)
BOOSTER = "booster.json"
#: Limits of a chunk: its texts, and its contributions (64 MB).
CHUNK, CELLS = 256, 1 << 24
MINIMUM_CONTRIBUTION = 0.005  # a smaller one would be printed as 0.00


class Term(NamedTuple):
    """A term of the text, and its contribution to the log-odds of the predicted class; negative if against it."""

    text: str
    contribution: float


class ExplainedLabel(NamedTuple):
    """A class, its probability (0–1), and terms of the text, the largest absolute contribution first."""

    label: str
    confidence: float
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class ExplainedBatch:
    """The predictions for consecutive texts, in columns: an object for each term would slow batches down.

    The terms of text i are those from `bounds[i]` to `bounds[i + 1]`; `contributions` are theirs, float32.
    """

    labels: list[str]
    confidences: list[float]
    terms: list[str]
    contributions: Any
    bounds: list[int]


@dataclass(frozen=True)
class ExplainableModel:
    """A trained model. `booster` has one output for two classes (log-odds of the second), else one for each class.

    `scale` multiplies all outputs, so that the mean confidence matches the accuracy; it changes no class.
    """

    classes: tuple[str, ...]
    features: Features
    booster: Booster
    scale: float = 1.0

    def predict(self, texts: Sequence[str], top: int) -> list[ExplainedLabel]:
        """Return a prediction for each text, in order, with at most `top` terms."""
        return [prediction for batch in self.explain(texts, top) for prediction in _list_predictions(batch)]

    def explain(self, texts: Sequence[str], top: int) -> Iterator[ExplainedBatch]:
        """Yield the same predictions for as many texts at once as fit into the memory limit."""
        rows = self.rows_at_once
        for start in range(0, len(texts), rows):
            yield self._explain_chunk(texts[start : start + rows], top)

    @cached_property
    def names(self) -> list[str]:
        """The term of each column."""
        return self.features.terms

    @cached_property
    def ranks(self) -> Any:
        """Each column's position in the sorted terms, which orders equal contributions."""
        import numpy

        ranks = numpy.empty(len(self.names), dtype=numpy.int32)
        ranks[sorted(range(len(self.names)), key=self.names.__getitem__)] = numpy.arange(len(self.names))
        return ranks

    @property
    def rows_at_once(self) -> int:
        """The number of texts in a chunk; each has a dense row of contributions for each output."""
        width = (len(self.names) + 1) * (1 if len(self.classes) == 2 else len(self.classes))
        return max(1, min(CHUNK, CELLS // width))

    def _explain_chunk(self, texts: Sequence[str], top: int) -> ExplainedBatch:
        import numpy

        matrix = self.features.transform(texts)
        margins, contributions = self.booster.predict(matrix)
        shares = compute_probabilities(margins, self.scale)
        best = shares.argmax(axis=1)
        confidences = [round(share, 4) for share in shares[numpy.arange(len(best)), best].tolist()]
        columns, added, bounds = self._find_top_terms(matrix, contributions, best, top)
        labels, terms = [self.classes[each] for each in best.tolist()], [self.names[each] for each in columns.tolist()]
        return ExplainedBatch(labels, confidences, terms, added, bounds.tolist())

    def _find_top_terms(self, matrix: Any, contributions: Any, best: Any, top: int) -> tuple[Any, Any, Any]:
        """Return columns, contributions and bounds of each text's `top` terms, by absolute contribution."""
        import numpy

        rows, columns = numpy.repeat(numpy.arange(len(best)), numpy.diff(matrix.indptr)), matrix.indices
        if len(self.classes) == 2:
            added = contributions[rows, columns] * numpy.where(best == 1, 1, -1)[rows].astype(contributions.dtype)
        else:
            added = contributions[rows, best[rows], columns]
        added = added * self.scale
        kept = numpy.abs(added) >= MINIMUM_CONTRIBUTION
        rows, columns, added = rows[kept], columns[kept], added[kept]
        order = numpy.lexsort((self.ranks[columns], -numpy.abs(added), rows))
        begins = numpy.searchsorted(rows, numpy.arange(len(best)))
        first = order[numpy.arange(len(rows)) - begins[rows] < top]
        return columns[first], added[first], numpy.searchsorted(rows[first], numpy.arange(len(best) + 1))

    def save(self, folder: Path) -> None:
        """Write the model's files into a folder: JSON and plain arrays."""
        fields = {"classes": list(self.classes), "scale": self.scale}
        content = {**model_files.stamp(KIND, LIBRARY), **self.features.save(folder), **fields}
        (folder / BOOSTER).write_bytes(self.booster.content)
        model_files.write_json(folder / model_files.MODEL, content)

    @classmethod
    def load(cls, folder: Path) -> ExplainableModel:
        """Read the files that `save` wrote. Raises InvalidArtifact."""
        content = model_files.read_json(folder / model_files.MODEL)
        model_files.check(content, KIND, LIBRARY)
        try:
            booster = Booster((folder / BOOSTER).read_bytes())
            classes, scale = tuple(content["classes"]), float(content.get("scale", 1.0))
            return cls(classes, Features.load(folder, content), booster, scale)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise InvalidArtifact(f"the model is damaged: {type(error).__name__}") from None


def _list_predictions(batch: ExplainedBatch) -> Iterator[ExplainedLabel]:
    terms = list(map(Term, batch.terms, batch.contributions.tolist()))
    for label, confidence, (begin, end) in zip(batch.labels, batch.confidences, pairwise(batch.bounds), strict=True):
        yield ExplainedLabel(label, confidence, tuple(terms[begin:end]))


def compute_probabilities(margins: Any, scale: float) -> Any:
    """Return the probability of each class, (texts, classes), each row adding up to 1.

    `margins` are log-odds, (texts,) for two classes, else (texts, classes).
    """
    import numpy

    margins = margins.astype(numpy.float64)  # of float32, exp differs between processors
    if margins.ndim == 1:
        margins = numpy.stack([numpy.zeros_like(margins), margins], axis=1)
    stretched = numpy.exp(scale * (margins - margins.max(axis=1, keepdims=True)))
    return stretched / stretched.sum(axis=1, keepdims=True)


def fit_scale(margins: Any, truths: Any) -> float:
    """Return the most likely scale, from 0.2 to 5, for the margins of texts that the model had not seen.

    `truths` are class numbers, (texts,). The scale is rounded to 4 digits.
    Source: C. Guo and others, "On calibration of modern neural networks" (2017), there as a temperature, 1 / scale.
    """
    import numpy
    from scipy.optimize import minimize_scalar

    def loss(logarithm: float) -> float:
        shares = compute_probabilities(margins, float(numpy.exp(logarithm)))
        return -float(numpy.log(numpy.maximum(shares[range(len(truths)), truths], 1e-12)).mean())

    fit = minimize_scalar(loss, bounds=(float(numpy.log(0.2)), float(numpy.log(5.0))), method="bounded")
    return round(float(numpy.exp(fit.x)), 4)
