"""A linear support vector machine with calibrated confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexus.exceptions import InvalidArtifact
from plexus.learning import model_files
from plexus.learning.features import Block, Features

KIND, LIBRARY = "svm", "scikit-learn"
#: scikit-learn's C of the logistic curve: the penalty is the square of the slope by twice this.
_PENALTY = 10.0
BLOCKS = (Block("word", (1, 2), negations=True), Block("char_wb", (4, 4), minimum=2))


@dataclass(frozen=True)
class SVMModel:
    """A trained model. It has one column for two classes, else one for each class.

    `weights` has the shape (columns, terms), `intercepts`, `slopes` and `offsets` (columns,). Slopes and offsets turn
    the distance to the hyperplane into a probability.
    """

    classes: tuple[str, ...]
    features: Features
    weights: Any
    intercepts: Any
    slopes: Any
    offsets: Any

    def compute_distances(self, texts: Sequence[str]) -> Any:
        """Return the distance of each text to each hyperplane, (texts, columns).

        The product is sparse: SciPy computes it in a fixed order and without BLAS, the same on every processor.
        """
        return self.features.transform(texts) @ self.weights.T + self.intercepts

    def predict(self, texts: Sequence[str]) -> tuple[list[str], list[float]]:
        """Return each text's class, and the confidence in it: 0–1, rounded to 4 digits."""
        distances = self.compute_distances(texts)
        shares = compute_probabilities(distances, self.slopes, self.offsets)
        best = choose_classes(distances)
        confidences = shares[range(len(best)), best]
        return [self.classes[index] for index in best.tolist()], confidences.round(4).tolist()

    def save(self, folder: Path) -> None:
        """Write the model's files into a folder: JSON and plain arrays."""
        content = {
            **model_files.stamp(KIND, LIBRARY),
            **self.features.save(folder),
            "classes": list(self.classes),
            "intercepts": self.intercepts.tolist(),
            "slopes": self.slopes.tolist(),
            "offsets": self.offsets.tolist(),
        }
        model_files.write_array(folder / "weights.npy", self.weights)
        model_files.write_json(folder / model_files.MODEL, content)

    @classmethod
    def load(cls, folder: Path) -> SVMModel:
        """Read the files that `save` wrote. Raises InvalidArtifact."""
        import numpy

        content = model_files.read_json(folder / model_files.MODEL)
        model_files.check(content, KIND, LIBRARY)
        try:
            return cls(
                tuple(content["classes"]),
                Features.load(folder, content),
                model_files.read_array(folder / "weights.npy"),
                *(numpy.asarray(content[name]) for name in ("intercepts", "slopes", "offsets")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidArtifact(f"the model is damaged: {type(error).__name__}") from None


def choose_classes(distances: Any) -> Any:
    """Return each text's class, (texts,): distances are (texts, 1) for two classes, else (texts, classes)."""
    return (distances[:, 0] > 0).astype(int) if distances.shape[1] == 1 else distances.argmax(axis=1)


def compute_probabilities(distances: Any, slopes: Any, offsets: Any) -> Any:
    """Return the probability of each class, (texts, classes), each row adding up to 1: a logistic curve per column."""
    import numpy

    shares = 1 / (1 + numpy.exp(-numpy.clip(distances * slopes + offsets, -30, 30)))
    if shares.shape[1] == 1:
        return numpy.hstack([1 - shares, shares])
    return shares / shares.sum(axis=1, keepdims=True)


def fit_calibration(distances: Any, truths: Any) -> tuple[Any, Any]:
    """Fit Platt's curve for each column and return (slopes, offsets), by Newton's method.

    `distances` and the booleans `truths`, both (texts, columns), are of texts that the model had not seen.
    """
    import numpy

    slopes, offsets = numpy.ones(distances.shape[1]), numpy.zeros(distances.shape[1])
    for _ in range(50):
        shares = 1 / (1 + numpy.exp(-numpy.clip(distances * slopes + offsets, -30, 30)))
        wrong, curved = shares - truths, shares * (1 - shares) + 1e-9
        # A weak penalty keeps the curve of a class that the distance separates without a mistake.
        first = (wrong * distances).sum(axis=0) + slopes / _PENALTY, wrong.sum(axis=0)
        both = (curved * distances).sum(axis=0)
        square, plain = (curved * distances**2).sum(axis=0) + 1 / _PENALTY, curved.sum(axis=0)
        whole = square * plain - both**2
        steps = (plain * first[0] - both * first[1]) / whole, (square * first[1] - both * first[0]) / whole
        # Far from the minimum the curvature vanishes, and a whole step would leave the numbers that exp can take.
        slopes, offsets = (old - numpy.clip(step, -2, 2) for old, step in zip((slopes, offsets), steps, strict=True))
        if all(numpy.abs(step).max() < 1e-10 for step in steps):
            break
    # A curve that falls would contradict the class that the distance chose.
    return numpy.maximum(slopes, 0.01), offsets
