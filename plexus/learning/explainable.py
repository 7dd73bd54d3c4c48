"""Gradient boosting over TF-IDF terms, with each term's own contribution to the decision.

Contributions are XGBoost's (`pred_contribs`): on the scale of log-odds they add up, with a bias, to the prediction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidArtifact
from plexus.learning import files
from plexus.learning.features import Block, Features

KIND, LIBRARY = "xgboost", "xgboost-cpu"
BLOCKS = (Block("word", (1, 2), maximum_features=50_000),)
BOOSTER = "booster.json"
CHUNK = 256
"""Contributions are a dense row for each text: so many at once."""
LEAST = 0.005  # contributions below it would read as 0.00


@dataclass(frozen=True)
class Term:
    """A term of the text and what it added to the log-odds of the class that was found; negative: it spoke against."""

    text: str
    contribution: float


@dataclass(frozen=True)
class Prediction:
    """A class, the model's probability of it (0–1), and the terms of the text, the weightiest first."""

    label: str
    confidence: float
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class ExplainableModel:
    """`booster` has one output for two classes (log-odds of the second), else one each."""

    classes: tuple[str, ...]
    features: Features
    booster: Any

    def predict(self, texts: Sequence[str], top: int) -> list[Prediction]:
        """One prediction for each text, with at most `top` terms."""
        found: list[Prediction] = []
        names = self.features.terms
        for start in range(0, len(texts), CHUNK):
            found += self._chunk(texts[start : start + CHUNK], names, top)
        return found

    def _chunk(self, texts: Sequence[str], names: list[str], top: int) -> Iterator[Prediction]:
        import numpy
        from xgboost import DMatrix

        matrix = self.features.transform(texts)
        asked = DMatrix(matrix)
        shares = numpy.asarray(self.booster.predict(asked))
        contributions = self.booster.predict(asked, pred_contribs=True)
        if shares.ndim == 1:
            shares = numpy.stack([1 - shares, shares], axis=1)
        for row, best in enumerate(shares.argmax(axis=1).tolist()):
            own = self._contributions(contributions[row], best)
            present = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            terms = [Term(names[index], float(own[index])) for index in present if abs(own[index]) >= LEAST]
            terms.sort(key=lambda term: (-abs(term.contribution), term.text))
            yield Prediction(self.classes[best], round(float(shares[row, best]), 4), tuple(terms[:top]))

    def _contributions(self, row: Any, best: int) -> Any:
        """Shape (terms,): towards the class that was found."""
        if len(self.classes) == 2:
            return row[:-1] if best == 1 else -row[:-1]
        return row[best, :-1]

    def save(self, folder: Path) -> None:
        """Writes the model's files: JSON and plain arrays."""
        content = {**files.stamp(KIND, LIBRARY), **self.features.save(folder), "classes": list(self.classes)}
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
            return cls(tuple(content["classes"]), Features.load(folder, content), booster)
        except (OSError, KeyError, TypeError, ValueError, xgboost.core.XGBoostError) as error:
            raise InvalidArtifact(f"the model is damaged: {type(error).__name__}") from None
