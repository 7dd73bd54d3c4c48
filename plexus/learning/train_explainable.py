"""Training the boosted trees: the same data, parameters and seed give the same model, on any number of processors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plexus.learning.explainable import BLOCKS, ExplainableModel
from plexus.learning.features import Features
from plexus.learning.training import SEED, Report, folds, fraction_right

DEPTHS, ROUNDS = (2, 4), (60, 120, 240)


def train(texts: Sequence[str], labels: Sequence[str]) -> tuple[ExplainableModel, Report]:
    """The model fitted on all texts with the depth and rounds that did best in cross-validation, and how it did."""
    import numpy
    import xgboost

    classes = tuple(sorted(set(labels)))
    truths = numpy.asarray([classes.index(label) for label in labels])
    splits = folds(truths)
    found = {(depth, rounds): numpy.zeros(len(texts), dtype=int) for depth in DEPTHS for rounds in ROUNDS}
    for inside, outside in splits:
        features = Features(BLOCKS)
        learnt = xgboost.DMatrix(features.fit_transform([texts[i] for i in inside]), truths[inside])
        asked = xgboost.DMatrix(features.transform([texts[i] for i in outside]))
        for depth in DEPTHS:
            booster = _boosted(learnt, len(classes), depth, max(ROUNDS))
            for rounds in ROUNDS:  # the first trees are the same however many follow
                found[depth, rounds][outside] = _best(booster.predict(asked, iteration_range=(0, rounds)))
    scores = {choice: fraction_right(answers, truths) for choice, answers in found.items()}
    # Of equals the smallest trees, and the fewest.
    depth, rounds = min(scores, key=lambda choice: (-scores[choice], choice))
    features = Features(BLOCKS)
    booster = _boosted(xgboost.DMatrix(features.fit_transform(texts), truths), len(classes), depth, rounds)
    report = Report.of(
        labels, [classes[i] for i in found[depth, rounds]], {"max_depth": depth, "rounds": rounds}, len(splits)
    )
    return ExplainableModel(classes, features, booster), report


def _boosted(data: Any, classes: int, depth: int, rounds: int) -> Any:
    """One thread: sums in another order would be another model."""
    import xgboost

    many = {"objective": "multi:softprob", "num_class": classes}
    parameters = {
        **({"objective": "binary:logistic"} if classes == 2 else many),
        "max_depth": depth,
        "eta": 0.2,
        "min_child_weight": 0.5,
        "tree_method": "hist",
        "nthread": 1,
        "seed": SEED,
    }
    return xgboost.train(parameters, data, num_boost_round=rounds)


def _best(shares: Any) -> Any:
    return (shares > 0.5).astype(int) if shares.ndim == 1 else shares.argmax(axis=1)
