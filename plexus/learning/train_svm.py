"""Training the support vector machine: the same data, parameters and seed give the same model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from plexus.learning.features import Features
from plexus.learning.svm import BLOCKS, SVMModel, calibration
from plexus.learning.training import SEED, Report, chosen, folds, strengths, weighted


class Choice(NamedTuple):
    """How much more those terms weigh that set classes apart (0–1), and the machine's strength C."""

    contrast: float
    strength: float

    @property
    def told(self) -> dict[str, Any]:
        """What a report says."""
        return {"C": self.strength, "contrast": self.contrast}


CHOICES = tuple(Choice(contrast, strength) for contrast in (0.0, 0.5) for strength in (0.1, 0.3, 1.0, 3.0))
"""Of equals the first is taken: the strongest regularisation."""


def train(texts: Sequence[str], labels: Sequence[str]) -> tuple[SVMModel, Report]:
    """The model fitted on all texts with what did best in cross-validation, and how it did there."""
    import numpy

    classes = tuple(sorted(set(labels)))
    truths = numpy.asarray([classes.index(label) for label in labels])
    splits = folds(texts, labels, truths)
    found = [numpy.zeros((len(texts), _columns(classes))) for _ in CHOICES]
    for inside, outside in splits:
        features = Features(BLOCKS)
        learnt = features.fit_transform([texts[index] for index in inside])
        asked = features.transform([texts[index] for index in outside])
        for choice, distances in zip(CHOICES, found, strict=True):
            weights, intercepts = _fitted(learnt, truths[inside], choice)
            distances[outside] = asked @ weights.T + intercepts
    best = chosen([_best(distances) for distances in found], truths, [choice.contrast for choice in CHOICES])
    slopes, offsets = calibration(found[best], _columns_of(truths, classes))
    features = Features(BLOCKS)
    weights, intercepts = _fitted(features.fit_transform(texts), truths, CHOICES[best])
    model = SVMModel(classes, features, weights.astype(numpy.float32), intercepts.astype(float), slopes, offsets)
    return model, Report.of(labels, [classes[i] for i in _best(found[best])], CHOICES[best].told, len(splits))


def _fitted(matrix: Any, truths: Any, choice: Choice) -> tuple[Any, Any]:
    """Weights (columns, terms) of the unweighted terms, and intercepts (columns,)."""
    from sklearn.svm import LinearSVC

    strong = strengths(matrix, truths, choice.contrast)
    machine = LinearSVC(C=choice.strength, random_state=SEED, dual=True, max_iter=5000)
    machine.fit(weighted(matrix, strong), truths)
    return machine.coef_ * strong, machine.intercept_


def _columns(classes: Sequence[str]) -> int:
    return 1 if len(classes) == 2 else len(classes)


def _columns_of(truths: Any, classes: Sequence[str]) -> Any:
    """Shape (texts, columns): whether a text is of the column's class."""
    import numpy

    if len(classes) == 2:
        return (truths == 1).reshape(-1, 1)
    return numpy.stack([truths == index for index in range(len(classes))], axis=1)


def _best(distances: Any) -> Any:
    return (distances[:, 0] > 0).astype(int) if distances.shape[1] == 1 else distances.argmax(axis=1)
