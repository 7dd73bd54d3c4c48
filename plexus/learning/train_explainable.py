"""Train with XGBoost; the same texts and labels give the same model.

Cross-validation chooses between boosted trees, which see terms together, and boosted linear models, which do better on
few texts with many words. The search changes one thing at a time, and drops candidates that are worse in their first
fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from plexus.learning.booster import Booster
from plexus.learning.explainable import BLOCKS, ExplainableModel, fit_scale
from plexus.learning.features import Counting, Features, normalize_rows
from plexus.learning.objectives import ACCURACY, Estimate, Objective, choose, choose_unseen, estimate, list_others
from plexus.learning.training import SEED, Report, advance, compute_strengths, split_into_folds, weight_columns


@dataclass(frozen=True)
class Choice:
    """Parameters to choose from: XGBoost's, rounds of boosting, the terms' class contrast (0–1), and class weights."""

    booster: str
    rounds: int
    parameters: tuple[tuple[str, Any], ...] = ()
    contrast: float = 0.0
    balanced: bool = False

    @property
    def report_fields(self) -> dict[str, object]:
        """The parameters that the report names."""
        named = {name: value for name, value in self.parameters if name in ("lambda", "max_depth")}
        weights = "balanced" if self.balanced else "equal"
        head = {"booster": self.booster, **named, "rounds": self.rounds}
        return {**head, "contrast": self.contrast, "class_weights": weights}


def _create_linear(strength: float, contrast: float) -> Choice:
    # With one thread this updater visits the coordinates in the order of coord_descent, over twenty times faster.
    one_way = (("updater", "shotgun"), ("feature_selector", "cyclic"))
    return Choice("gblinear", 30, (("lambda", strength), ("eta", 0.5), *one_way), contrast)


def _create_trees(depth: int) -> Choice:
    fixed = (("eta", 0.2), ("min_child_weight", 0.5), ("tree_method", "hist"))
    return Choice("gbtree", 120, (("max_depth", depth), *fixed))


STRENGTHS = (0.001, 0.0005, 0.0002, 0.0001, 0.00003)
FIRST = _create_linear(0.0002, 0.5)
#: From this product of classes and texts on, trees are not tried: they would take longer than all other candidates.
_MANY = 4_000


def train(
    texts: Sequence[str], labels: Sequence[str], objective: Objective = ACCURACY
) -> tuple[ExplainableModel, Report]:
    """Choose parameters by cross-validation, fit a model on all texts, and return it with its report.

    Raises InvalidData if a label has too few texts, or the texts too few words in common.
    """
    import numpy

    classes = tuple(sorted(set(labels)))
    numbers = {label: number for number, label in enumerate(classes)}
    truths = numpy.asarray([numbers[label] for label in labels])
    advance(0.0)
    search = Search(texts, truths, [part for _, part in split_into_folds(texts, labels, truths)], objective)
    tried = search.run()
    candidates = [_choose_classes(search.margins[choice]) for choice in tried]
    best = tried[choose([estimate(objective, each, truths) for each in candidates])]
    features = Features(BLOCKS)
    matrix = features.fit([search.counted])
    factors = compute_strengths(matrix, truths, best.contrast)
    features.weigh(factors)
    booster = Booster(bytes(_boost(_create_data(matrix, factors, truths, best), len(classes), best).save_raw("json")))
    unseen = choose_unseen(objective, candidates, truths, search.parts)
    report = Report.of(classes, truths, unseen, objective, best.report_fields, len(search.parts), len(tried))
    return ExplainableModel(classes, features, booster, fit_scale(search.margins[best], truths)), report


class Search:
    """Candidates and the margins of texts that each had not seen, (texts,) for two classes, else (texts, classes)."""

    def __init__(self, texts: Sequence[str], truths: Any, parts: Sequence[Any], objective: Objective) -> None:
        self.truths, self.parts, self.objective = truths, parts, objective
        self.classes = int(truths.max()) + 1
        self.counted = Counting(texts).count(BLOCKS[0])
        self.margins: dict[Choice, Any] = {}
        self._tries, self._maximum_tries = 0, 11

    def run(self) -> list[Choice]:
        """Try candidates and return those that were tried on all texts, in the order of preference."""
        self._folds = [self._fold(part) for part in self.parts]
        best = self._try(FIRST, FIRST)
        for contrast in (0.0, 1.0):
            best = self._try(replace(best, contrast=contrast), best)
        for step in (-1, 1, 2, -2):
            index = STRENGTHS.index(0.0002) + step
            best = self._try(replace(_create_linear(STRENGTHS[index], best.contrast), balanced=best.balanced), best)
        best = self._try(replace(best, balanced=True), best)
        if len(self.truths) * self.classes < _MANY:
            for depth in (2, 5):
                best = self._try(_create_trees(depth), best)
        advance(1.0)
        return list(self.margins)

    def _try(self, choice: Choice, best: Choice) -> Choice:
        """Try a candidate, on all folds unless the first shows it behind; return the best so far."""
        import numpy

        self._tries += 1
        shape = len(self.truths) if self.classes == 2 else (len(self.truths), self.classes)
        result = numpy.zeros(shape)
        for index, (part, fold) in enumerate(zip(self.parts, self._folds, strict=True)):
            rows, training, held_out = fold
            factors = compute_strengths(training, self.truths[rows], choice.contrast)
            data = _create_data(training, factors, self.truths[rows], choice)
            result[part] = _boost(data, self.classes, choice).predict(
                _create_data(held_out, factors), output_margin=True
            )
            advance((self._tries - 1 + (index + 1) / len(self.parts)) / (self._maximum_tries + 1))
            if choice != best and index == 0:
                lead = self._estimate(result, part).value - self._estimate(self.margins[best], part).value
                if lead < 0:
                    return best
        self.margins[choice] = result
        everything = slice(None)
        is_better = self._estimate(result, everything).value > self._estimate(self.margins[best], everything).value
        return choice if is_better else best

    def _estimate(self, margins: Any, rows: Any) -> Estimate:
        return estimate(self.objective, _choose_classes(margins[rows]), self.truths[rows])

    def _fold(self, part: Any) -> tuple[Any, Any, Any]:
        """Return the training rows, (rows,), their matrix, and the matrix of the part that is held out."""
        inside = list_others(part, len(self.truths))
        matrix = self.counted.weigh(self.counted.weights(inside))
        return inside, matrix[inside], matrix[part]


def _create_data(matrix: Any, factors: Any, truths: Any = None, choice: Choice | None = None) -> Any:
    """Return the rows that `Features` gives once its terms have these strengths."""
    import numpy
    from xgboost import DMatrix

    weights = None
    if choice is not None and choice.balanced:
        counts = numpy.bincount(truths)
        weights = (len(truths) / (len(counts) * numpy.maximum(1, counts)))[truths]
    return DMatrix(normalize_rows(weight_columns(matrix, factors)), truths, weight=weights)


def _boost(data: Any, classes: int, choice: Choice) -> Any:
    """Train one booster, with one thread: sums in another order would give another model."""
    import xgboost

    many = {"objective": "multi:softprob", "num_class": classes}
    objective = {"objective": "binary:logistic"} if classes == 2 else many
    fixed = {"booster": choice.booster, "nthread": 1, "seed": SEED, "verbosity": 0}
    parameters = {**objective, **fixed, **dict(choice.parameters)}
    return xgboost.train(parameters, data, num_boost_round=choice.rounds)


def _choose_classes(margins: Any) -> Any:
    return (margins > 0).astype(int) if margins.ndim == 1 else margins.argmax(axis=1)
