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
from plexus.learning.training import SEED, Report, chosen, folds, strengths, weighted


@dataclass(frozen=True)
class Choice:
    """XGBoost's parameters, how many rounds of boosting, and how much more those terms weigh that set classes apart."""

    booster: str
    rounds: int
    parameters: dict[str, Any] = field(default_factory=dict)
    contrast: float = 0.0

    @property
    def told(self) -> dict[str, Any]:
        """What a report says."""
        shown = {name: value for name, value in self.parameters.items() if name in ("lambda", "max_depth")}
        return {"booster": self.booster, **shown, "rounds": self.rounds, "contrast": self.contrast}


def _linear(strength: float, contrast: float) -> Choice:
    # With one thread this updater takes the coordinates in their order as coord_descent does, over twenty times faster.
    one_way = {"updater": "shotgun", "feature_selector": "cyclic"}
    return Choice("gblinear", 30, {"lambda": strength, "eta": 0.5, **one_way}, contrast)


def _trees(depth: int) -> Choice:
    return Choice("gbtree", 120, {"max_depth": depth, "eta": 0.2, "min_child_weight": 0.5, "tree_method": "hist"})


CONTRASTS, STRENGTHS = (0.0, 0.5, 1.0), (0.001, 0.0005, 0.0002, 0.0001, 0.00003)
CHOICES = (*(_linear(strength, contrast) for contrast in CONTRASTS for strength in STRENGTHS), _trees(2), _trees(5))
"""Of equals the first is taken."""


def train(texts: Sequence[str], labels: Sequence[str]) -> tuple[ExplainableModel, Report]:
    """The model fitted on all texts with what did best in cross-validation, and how it did there."""
    import numpy

    classes = tuple(sorted(set(labels)))
    truths = numpy.asarray([classes.index(label) for label in labels])
    splits = folds(texts, labels, truths)
    rounds = [choice.rounds for choice in CHOICES]
    progress.expect(len(splits) * sum(rounds) + max(rounds))
    shape = len(texts) if len(classes) == 2 else (len(texts), len(classes))
    found = [numpy.zeros(shape) for _ in CHOICES]
    for inside, outside in splits:
        features = Features(BLOCKS)
        learnt = features.fit_transform([texts[i] for i in inside])
        asked = features.transform([texts[i] for i in outside])
        for contrast in CONTRASTS:
            strong = strengths(learnt, truths[inside], contrast)
            data, questions = _data(learnt, strong, truths[inside]), _data(asked, strong)
            for choice, margins in zip(CHOICES, found, strict=True):
                if choice.contrast == contrast:
                    margins[outside] = _boosted(data, len(classes), choice).predict(questions, output_margin=True)
    best = chosen([_best(margins) for margins in found], truths, [choice.contrast for choice in CHOICES])
    features, booster = _fitted(texts, truths, len(classes), CHOICES[best])
    report = Report.of(labels, [classes[i] for i in _best(found[best])], CHOICES[best].told, len(splits))
    return ExplainableModel(classes, features, booster, calibrated(found[best], truths)), report


def _fitted(texts: Sequence[str], truths: Any, classes: int, choice: Choice) -> tuple[Features, Any]:
    features = Features(BLOCKS)
    matrix = features.fit_transform(texts)
    strong = strengths(matrix, truths, choice.contrast)
    features.weigh(strong)
    return features, _boosted(_data(matrix, strong, truths), classes, choice)


def _data(matrix: Any, strong: Any, truths: Any = None) -> Any:
    """Rows as `Features` gives them once its terms are weighed so."""
    from sklearn.preprocessing import normalize
    from xgboost import DMatrix

    return DMatrix(normalize(weighted(matrix, strong)), truths)


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
