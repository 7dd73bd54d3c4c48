"""Training with XGBoost: the same data, parameters and seed give the same model, on any number of processors.

Cross-validation chooses between boosted trees, which see terms together, and boosted linear models, which do better on
few texts with many words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from plexus.learning import progress
from plexus.learning.explainable import BLOCKS, ExplainableModel, calibrated
from plexus.learning.features import Features
from plexus.learning.training import SEED, Report, folds, fraction_right


@dataclass(frozen=True)
class Choice:
    """XGBoost's parameters, and how many rounds of boosting."""

    booster: str
    rounds: int
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, Any]:
        """What a report says."""
        shown = {name: value for name, value in self.parameters.items() if name in ("lambda", "max_depth")}
        return {"booster": self.booster, **shown, "rounds": self.rounds}


def _linear(strength: float) -> Choice:
    # The default updater lets threads race; coordinates in their order give one result.
    one_way = {"updater": "coord_descent", "feature_selector": "cyclic"}
    return Choice("gblinear", 30, {"lambda": strength, "eta": 0.5, **one_way})


def _trees(depth: int) -> Choice:
    return Choice("gbtree", 120, {"max_depth": depth, "eta": 0.2, "min_child_weight": 0.5, "tree_method": "hist"})


CHOICES = (_linear(0.001), _linear(0.0002), _trees(2), _trees(5))
"""Of equals the first is taken."""


def train(texts: Sequence[str], labels: Sequence[str]) -> tuple[ExplainableModel, Report]:
    """The model fitted on all texts with what did best in cross-validation, and how it did there."""
    import numpy
    import xgboost

    classes = tuple(sorted(set(labels)))
    truths = numpy.asarray([classes.index(label) for label in labels])
    splits = folds(texts, labels, truths)
    rounds = [choice.rounds for choice in CHOICES]
    progress.expect(len(splits) * sum(rounds) + max(rounds))
    shape = len(texts) if len(classes) == 2 else (len(texts), len(classes))
    found = [numpy.zeros(shape) for _ in CHOICES]
    for inside, outside in splits:
        features = Features(BLOCKS)
        learnt = xgboost.DMatrix(features.fit_transform([texts[i] for i in inside]), truths[inside])
        asked = xgboost.DMatrix(features.transform([texts[i] for i in outside]))
        for choice, margins in zip(CHOICES, found, strict=True):
            margins[outside] = _boosted(learnt, len(classes), choice).predict(asked, output_margin=True)
    scores = [fraction_right(_best(margins), truths) for margins in found]
    best = scores.index(max(scores))
    features = Features(BLOCKS)
    booster = _boosted(xgboost.DMatrix(features.fit_transform(texts), truths), len(classes), CHOICES[best])
    report = Report.of(labels, [classes[i] for i in _best(found[best])], CHOICES[best].told, len(splits))
    return ExplainableModel(classes, features, booster, calibrated(found[best], truths)), report


def _boosted(data: Any, classes: int, choice: Choice) -> Any:
    """One thread: sums in another order would be another model."""
    import xgboost

    many = {"objective": "multi:softprob", "num_class": classes}
    objective = {"objective": "binary:logistic"} if classes == 2 else many
    fixed = {"booster": choice.booster, "nthread": 1, "seed": SEED, "verbosity": 0}
    parameters = {**objective, **fixed, **choice.parameters}
    return xgboost.train(parameters, data, num_boost_round=choice.rounds, callbacks=[_counted()])


def _counted() -> Any:
    """Of many classes one round takes seconds: each is a step."""
    from xgboost.callback import TrainingCallback

    class Counted(TrainingCallback):
        def after_iteration(self, *_: Any) -> bool:
            progress.step()
            return False

    return Counted()


def _best(margins: Any) -> Any:
    return (margins > 0).astype(int) if margins.ndim == 1 else margins.argmax(axis=1)
