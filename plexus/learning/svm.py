"""A linear support vector machine with calibrated confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidArtifact
from plexus.learning import files
from plexus.learning.features import Block, Features

KIND, LIBRARY = "svm", "scikit-learn"
BLOCKS = (Block("word", (1, 2), negations=True), Block("char_wb", (2, 5), minimum=2))


@dataclass(frozen=True)
class SVMModel:
    """`weights` has the shape (columns, terms) and `intercepts` (columns,): one column for two classes, else one each.

    `slopes` and `offsets`, (columns,), make a probability of a distance to the hyperplane.
    """

    classes: tuple[str, ...]
    features: Features
    weights: Any
    intercepts: Any
    slopes: Any
    offsets: Any

    def distances(self, texts: Sequence[str]) -> Any:
        """Shape (texts, columns)."""
        return self.features.transform(texts) @ self.weights.T + self.intercepts

    def predict(self, texts: Sequence[str]) -> tuple[list[str], list[float]]:
        """Each text's class and the confidence in it, 0–1."""
        distances = self.distances(texts)
        shares = probabilities(distances, self.slopes, self.offsets)
        best = (distances[:, 0] > 0).astype(int) if distances.shape[1] == 1 else distances.argmax(axis=1)
        confidences = shares[range(len(best)), best]
        return [self.classes[index] for index in best.tolist()], confidences.round(4).tolist()

    def save(self, folder: Path) -> None:
        """Writes the model's files."""
        content = {
            **files.stamp(KIND, LIBRARY),
            **self.features.save(folder),
            "classes": list(self.classes),
            "intercepts": self.intercepts.tolist(),
            "slopes": self.slopes.tolist(),
            "offsets": self.offsets.tolist(),
        }
        files.write_array(folder / "weights.npy", self.weights)
        files.write_json(folder / files.MODEL, content)

    @classmethod
    def load(cls, folder: Path) -> SVMModel:
        """Raises InvalidArtifact."""
        import numpy

        content = files.read_json(folder / files.MODEL)
        files.check(content, KIND, LIBRARY)
        try:
            return cls(
                tuple(content["classes"]),
                Features.load(folder, content),
                files.read_array(folder / "weights.npy"),
                *(numpy.asarray(content[name]) for name in ("intercepts", "slopes", "offsets")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidArtifact(f"the model is damaged: {type(error).__name__}") from None


def probabilities(distances: Any, slopes: Any, offsets: Any) -> Any:
    """Shape (texts, classes), each row adding up to 1: a logistic curve per column, made comparable."""
    import numpy

    shares = 1 / (1 + numpy.exp(-numpy.clip(distances * slopes + offsets, -30, 30)))
    if shares.shape[1] == 1:
        return numpy.hstack([1 - shares, shares])
    return shares / shares.sum(axis=1, keepdims=True)


def calibration(distances: Any, truths: Any) -> tuple[Any, Any]:
    """Platt's curve per column, fitted on distances of texts that the model had not seen: (slopes, offsets)."""
    import numpy
    from sklearn.linear_model import LogisticRegression

    slopes, offsets = [], []
    for column in range(distances.shape[1]):
        curve = LogisticRegression(C=10.0).fit(distances[:, [column]], truths[:, column])
        # A curve that falls would contradict the class that the distance chose.
        slopes.append(max(float(curve.coef_[0, 0]), 0.01))
        offsets.append(float(curve.intercept_[0]))
    return numpy.asarray(slopes), numpy.asarray(offsets)
