"""Gradient boosting over TF-IDF terms, with each term's own contribution to the decision.

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
from plexus.learning import files
from plexus.learning.features import Block, Features

KIND, LIBRARY = "xgboost", "xgboost-cpu"
BLOCKS = (Block("word", (1, 2), maximum_features=50_000, negations=True),)
BOOSTER = "booster.json"
CHUNK = 256
CELLS = 1 << 24
"""At most so many texts at once, and so many contributions of theirs (64 MB)."""
LEAST = 0.005  # contributions below it would read as 0.00


class Term(NamedTuple):
    """A term of the text and what it added to the log-odds of the class that was found; negative: it spoke against."""

    text: str
    contribution: float


class Prediction(NamedTuple):
    """A class, the model's probability of it (0–1), and the terms of the text, the weightiest first."""

    label: str
    confidence: float
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Decided:
    """The predictions of some texts in a row, in columns, for batches feel an object for each term.

    The terms of the text at i are those from `bounds[i]` to `bounds[i + 1]`; `added` is their contributions, float32.
    """

    labels: list[str]
    confidences: list[float]
    terms: list[str]
    added: Any
    bounds: list[int]


@dataclass(frozen=True)
class ExplainableModel:
    """`booster` has one output for two classes (log-odds of the second), else one each.

    `scale` stretches all outputs alike, so that confidence is as high as values are often right: it changes no class.
    """

    classes: tuple[str, ...]
    features: Features
    booster: Any
    scale: float = 1.0

    def predict(self, texts: Sequence[str], top: int) -> list[Prediction]:
        """One prediction for each text, with at most `top` terms."""
        return [prediction for decided in self.decided(texts, top) for prediction in _predictions(decided)]

    def decided(self, texts: Sequence[str], top: int) -> Iterator[Decided]:
        """As `predict`, so many texts at once as memory allows."""
        rows = self.rows_at_once
        for start in range(0, len(texts), rows):
            yield self._decided(texts[start : start + rows], top)

    @cached_property
    def names(self) -> list[str]:
        """The term of each column."""
        return self.features.terms

    @cached_property
    def ranks(self) -> Any:
        """Each column's place in the alphabet of terms: among equal contributions it decides."""
        import numpy

        ranks = numpy.empty(len(self.names), dtype=numpy.int32)
        ranks[sorted(range(len(self.names)), key=self.names.__getitem__)] = numpy.arange(len(self.names))
        return ranks

    @property
    def rows_at_once(self) -> int:
        """Texts of a chunk: each has a dense row of contributions, and of more than two classes one for each."""
        width = (len(self.names) + 1) * (1 if len(self.classes) == 2 else len(self.classes))
        return max(1, min(CHUNK, CELLS // width))

    def _decided(self, texts: Sequence[str], top: int) -> Decided:
        import numpy
        from xgboost import DMatrix

        matrix = self.features.transform(texts)
        asked = DMatrix(matrix)
        shares = probabilities(numpy.asarray(self.booster.predict(asked, output_margin=True)), self.scale)
        best = shares.argmax(axis=1)
        confidences = [round(share, 4) for share in shares[numpy.arange(len(best)), best].tolist()]
        columns, added, bounds = self._weightiest(matrix, self.booster.predict(asked, pred_contribs=True), best, top)
        labels, terms = [self.classes[each] for each in best.tolist()], [self.names[each] for each in columns.tolist()]
        return Decided(labels, confidences, terms, added, bounds.tolist())

    def _weightiest(self, matrix: Any, contributions: Any, best: Any, top: int) -> tuple[Any, Any, Any]:
        """The `top` terms of each text that weighed most towards (or against) the class that was found.

        Their columns, what they added, and where those of each text begin and end.
        """
        import numpy

        rows, columns = numpy.repeat(numpy.arange(len(best)), numpy.diff(matrix.indptr)), matrix.indices
        if len(self.classes) == 2:
            added = contributions[rows, columns] * numpy.where(best == 1, 1, -1)[rows].astype(contributions.dtype)
        else:
            added = contributions[rows, best[rows], columns]
        added = added * self.scale
        kept = numpy.abs(added) >= LEAST
        rows, columns, added = rows[kept], columns[kept], added[kept]
        order = numpy.lexsort((self.ranks[columns], -numpy.abs(added), rows))
        begins = numpy.searchsorted(rows, numpy.arange(len(best)))
        first = order[numpy.arange(len(rows)) - begins[rows] < top]
        return columns[first], added[first], numpy.searchsorted(rows[first], numpy.arange(len(best) + 1))

    def save(self, folder: Path) -> None:
        """Writes the model's files: JSON and plain arrays."""
        own = {"classes": list(self.classes), "scale": self.scale}
        content = {**files.stamp(KIND, LIBRARY), **self.features.save(folder), **own}
        (folder / BOOSTER).write_bytes(bytes(self.booster.save_raw("json")))
        files.write_json(folder / files.MODEL, content)

    @classmethod
    def load(cls, folder: Path) -> ExplainableModel:
        """Raises InvalidArtifact."""
        import xgboost

        content = files.read_json(folder / files.MODEL)
        files.check(content, KIND, LIBRARY)
        booster = xgboost.Booster()
        try:
            booster.load_model(bytearray((folder / BOOSTER).read_bytes()))
            classes, scale = tuple(content["classes"]), float(content.get("scale", 1.0))
            return cls(classes, Features.load(folder, content), booster, scale)
        except (OSError, KeyError, TypeError, ValueError, xgboost.core.XGBoostError) as error:
            raise InvalidArtifact(f"the model is damaged: {type(error).__name__}") from None


def _predictions(decided: Decided) -> Iterator[Prediction]:
    terms = list(map(Term, decided.terms, decided.added.tolist()))
    for label, confidence, (begin, end) in zip(
        decided.labels, decided.confidences, pairwise(decided.bounds), strict=True
    ):
        yield Prediction(label, confidence, tuple(terms[begin:end]))


def probabilities(margins: Any, scale: float) -> Any:
    """Shape (texts, classes), each row adding up to 1, of log-odds: (texts,) for two classes, else (texts, classes)."""
    import numpy

    if margins.ndim == 1:
        margins = numpy.stack([numpy.zeros_like(margins), margins], axis=1)
    stretched = numpy.exp(scale * (margins - margins.max(axis=1, keepdims=True)))
    return stretched / stretched.sum(axis=1, keepdims=True)


def calibrated(margins: Any, truths: Any) -> float:
    """The scale that fits the margins of texts that the model had not seen: the most likely one, from 0.2 to 5.

    Source: C. Guo and others, "On calibration of modern neural networks" (2017), there as a temperature, 1 / scale.
    """
    import numpy
    from scipy.optimize import minimize_scalar

    def unlikely(logarithm: float) -> float:
        shares = probabilities(margins, float(numpy.exp(logarithm)))
        return -float(numpy.log(numpy.maximum(shares[range(len(truths)), truths], 1e-12)).mean())

    found = minimize_scalar(unlikely, bounds=(float(numpy.log(0.2)), float(numpy.log(5.0))), method="bounded")
    return round(float(numpy.exp(found.x)), 4)
