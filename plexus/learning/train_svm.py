"""Training the support vector machine: the same data, parameters and seed give the same model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plexus.learning.features import Features
from plexus.learning.svm import BLOCKS, SVMModel, calibration
from plexus.learning.training import SEED, Report, folds, fraction_right

STRENGTHS = (0.1, 0.3, 1.0, 3.0)


def train(texts: Sequence[str], labels: Sequence[str]) -> tuple[SVMModel, Report]:
    """The model fitted on all texts with the strength that did best in cross-validation, and how it did there."""
    import numpy

    classes = tuple(sorted(set(labels)))
    truths = numpy.asarray([classes.index(label) for label in labels])
    splits = folds(texts, labels, truths)
    found = {strength: numpy.zeros((len(texts), _columns(classes))) for strength in STRENGTHS}
    for inside, outside in splits:
        features = Features(BLOCKS)
        learnt = features.fit_transform([texts[index] for index in inside])
        asked = features.transform([texts[index] for index in outside])
        for strength, distances in found.items():
            machine = _machine(strength).fit(learnt, truths[inside])
            distances[outside] = machine.decision_function(asked).reshape(len(outside), -1)
    scores = {strength: fraction_right(_best(distances), truths) for strength, distances in found.items()}
    # Of equals the smallest: the strongest regularisation.
    best = min(STRENGTHS, key=lambda strength: (-scores[strength], strength))
    slopes, offsets = calibration(found[best], _columns_of(truths, classes))
    features = Features(BLOCKS)
    machine = _machine(best).fit(features.fit_transform(texts), truths)
    model = SVMModel(
        classes, features, machine.coef_.astype(numpy.float32), machine.intercept_.astype(float), slopes, offsets
    )
    return model, Report.of(labels, [classes[index] for index in _best(found[best])], {"C": best}, len(splits))


def _machine(strength: float) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=strength, random_state=SEED, dual=True, max_iter=5000)


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
