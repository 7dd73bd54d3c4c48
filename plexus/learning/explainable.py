"""Gradient boosting over TF-IDF terms, with each term's own contribution to the decision.

Contributions are XGBoost's (`pred_contribs`): on the scale of log-odds they add up, with a bias, to the prediction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from plexus.exceptions import InvalidArtifact
from plexus.learning import files
from plexus.learning.features import Block, Features

KIND, LIBRARY = "xgboost", "xgboost-cpu"
BLOCKS = (Block("word", (1, 2), maximum_features=50_000),)
BOOSTER = "booster.json"
CHUNK = 256
"""Contributions are a dense row for each text: so many at once."""
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
        return list(self.predictions(texts, top))

    def predictions(self, texts: Sequence[str], top: int) -> Iterator[Prediction]:
        """As `predict`, one after the other."""
        names = self.features.terms
        for start in range(0, len(texts), CHUNK):
            yield from self._chunk(texts[start : start + CHUNK], names, top)

    def _chunk(self, texts: Sequence[str], names: list[str], top: int) -> Iterator[Prediction]:
        import numpy
        from xgboost import DMatrix

        matrix = self.features.transform(texts)
        asked = DMatrix(matrix)
        shares = probabilities(numpy.asarray(self.booster.predict(asked, output_margin=True)), self.scale)
        best = shares.argmax(axis=1)
        contributions = self.booster.predict(asked, pred_contribs=True) * self.scale
        terms = self._terms(matrix, contributions, best, names, top)
        confidences = shares[range(len(best)), best].tolist()
        for index, confidence, found in zip(best.tolist(), confidences, terms, strict=True):
            yield Prediction(self.classes[index], round(confidence, 4), found)

    def _terms(
        self, matrix: Any, contributions: Any, best: Any, names: list[str], top: int
    ) -> Iterator[tuple[Term, ...]]:
        """Of each text, the terms that weighed most towards (or against) the class that was found."""
        import numpy

        rows = numpy.repeat(numpy.arange(len(best)), numpy.diff(matrix.indptr))
        columns = matrix.indices
        if len(self.classes) == 2:
            own = contributions[rows, columns] * numpy.where(best == 1, 1, -1)[rows].astype(contributions.dtype)
        else:
            own = contributions[rows, best[rows], columns]
        kept = numpy.abs(own) >= LEAST
        ends = numpy.cumsum(numpy.bincount(rows[kept], minlength=len(best))).tolist()
        found = list(zip(columns[kept].tolist(), own[kept].tolist(), strict=True))
        for start, end in zip([0, *ends], ends, strict=False):
            ordered = sorted(found[start:end], key=lambda each: (-abs(each[1]), names[each[0]]))[:top]
            yield tuple(Term(names[column], value) for column, value in ordered)

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
