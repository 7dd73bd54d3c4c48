"""Train with XGBoost; the same texts and labels give the same model.

Cross-validation chooses between boosted linear models, which do better on few texts with many words, and boosted trees,
which see terms together. The search begins with what is best on most texts, changes one thing at a time, and drops
candidates that are worse in their first fold. It may cost ten times the plain model, as `train_svm`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from plexus.learning.booster import Booster
from plexus.learning.explainable import BLOCKS, ExplainableModel, fit_scale
from plexus.learning.features import Counting, Features, normalize_rows
from plexus.learning.objectives import ACCURACY, Estimate, Objective, choose, choose_unseen, estimate, list_others
from plexus.learning.training import (
    SEED,
    Budget,
    Report,
    advance,
    compute_strengths,
    count_columns,
    split_into_folds,
    weight_columns,
)

#: Whole steps would overshoot where a class is rare. With one thread this updater visits the coordinates in the order
#: of coord_descent, over twenty times faster.
_LINEAR = {"booster": "gblinear", "eta": 0.5, "updater": "shotgun", "feature_selector": "cyclic"}
#: A term is in a text or not: four bins are as good as 256.
_TREES = {"booster": "gbtree", "eta": 0.4, "min_child_weight": 0.5, "tree_method": "hist", "max_bin": 4}


@dataclass(frozen=True)
class Choice:
    """Parameters to choose from: the linear model's regularization, the terms' class contrast (0–1), class weights.

    With a `depth` above 0 the model is one of trees, without regularization. `steps` are a linear model's rounds.
    """

    strength: float = 0.00001
    contrast: float = 0.5
    balanced: bool = True
    depth: int = 0
    steps: int = 10

    @property
    def rounds(self) -> int:
        """The rounds of boosting."""
        return 50 if self.depth else self.steps

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by XGBoost's names."""
        return {**_TREES, "max_depth": self.depth} if self.depth else {**_LINEAR, "lambda": self.strength}

    @property
    def report_fields(self) -> dict[str, object]:
        """The parameters that the report names."""
        named = {name: value for name, value in self.parameters.items() if name in ("booster", "lambda", "max_depth")}
        weights = "balanced" if self.balanced else "equal"
        return {**named, "rounds": self.rounds, "contrast": self.contrast, "class_weights": weights}


#: The best on most sets of bench/quality.py.
USUAL = Choice()
#: With this many outputs ten rounds are too few: each moves a class less, and longer steps diverge. Twenty are paid for
#: by two folds in place of three, and by leaving out the terms of a single text.
_MANY_OUTPUTS, _MANY_STEPS, _MANY_FOLDS = 32, 20, 2
#: One thing is changed at a time, and the best so far is where the next change starts.
_CHANGES: tuple[dict[str, Any], ...] = (
    {"balanced": False},
    {"strength": 0.0001},
    {"contrast": 0.0},
    {"contrast": 1.0},
    {"strength": 0.00003},
)
#: Costs in nanoseconds: of each entry of the matrix to count it, weigh it for a fold, and create XGBoost's matrix; for
#: each output and round, of a step of a linear model and of a tree's level; and of any fit.
_COUNT, _WEIGH, _CREATE, _STEP, _LEVEL, _FIT = 200, 50, 80, 8, 45, 6e6


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
    most = {"most": _MANY_FOLDS} if len(classes) >= _MANY_OUTPUTS else {}
    folds = split_into_folds(texts, labels, truths, **most)
    search = Search(texts, truths, folds.parts, objective)
    tried = search.run()
    candidates = [_choose_classes(search.margins[choice]) for choice in tried]
    best = tried[choose([estimate(objective, each, truths) for each in candidates])]
    features = Features(BLOCKS)
    matrix = features.fit([search.counted])
    factors = compute_strengths(matrix, truths, best.contrast)
    features.weigh(factors)
    data = _create_data(matrix, factors, truths, is_pruned=search.is_pruned(best))
    booster = Booster(bytes(_boost(data, truths, best).save_raw("json")))
    unseen = choose_unseen(objective, candidates, truths, search.parts)
    report = Report.of(classes, truths, unseen, objective, best.report_fields, folds, len(tried))
    return ExplainableModel(classes, features, booster, fit_scale(search.margins[best], truths)), report


class Search:
    """Candidates and the margins of texts that each had not seen, (texts,) for two classes, else (texts, classes)."""

    def __init__(self, texts: Sequence[str], truths: Any, parts: Sequence[Any], objective: Objective) -> None:
        self.truths, self.parts, self.objective = truths, parts, objective
        self.columns = count_columns(int(truths.max()) + 1)
        self.usual = replace(USUAL, steps=_MANY_STEPS) if self.columns >= _MANY_OUTPUTS else USUAL
        self.counted = Counting(texts).count(BLOCKS[0])
        self.entries = self.counted.dampened.nnz
        self.margins: dict[Choice, Any] = {}
        self.budget = Budget.of(texts, self.entries / 2, self.columns)
        self.budget.spend(self.entries * (_COUNT + _WEIGH * len(parts)))
        self._folds = [self._fold(part) for part in parts]
        self._data: list[tuple[Any, Any]] = []
        self._data_of: tuple[float, bool] | None = None

    def run(self) -> list[Choice]:
        """Try candidates and return those that were tried on all texts, in the order of preference.

        Reports progress with `advance`.
        """
        best = self._try(self.usual, self.usual)
        for change in _CHANGES:
            best = self._try(replace(best, **change), best)
        for depth in (2, 5):
            if depth == 2 or best.depth:  # deeper trees are behind where flat ones are
                best = self._try(Choice(contrast=0.0, balanced=best.balanced, depth=depth), best)
        advance(1.0)
        return list(self.margins)

    def is_pruned(self, choice: Choice) -> bool:
        """Return whether terms of a single text are left out: trees would memorize them in three times the time."""
        return choice.depth > 0 or self.columns >= _MANY_OUTPUTS

    def _try(self, choice: Choice, best: Choice) -> Choice:
        """Try a candidate, if the budget pays for it, until a fold shows it behind; return the best so far."""
        import numpy

        fit = _FIT + self.entries * self.columns * choice.rounds * (_LEVEL * choice.depth or _STEP)
        create = 0 if self._data_of == (choice.contrast, self.is_pruned(choice)) else _CREATE * self.entries
        cost = fit + create
        if choice in self.margins or (self.margins and not self.budget.pays(cost * (len(self.parts) + 1))):
            return best
        result = numpy.zeros((len(self.truths), self.columns) if self.columns > 1 else len(self.truths))
        for index, (part, (training, held_out)) in enumerate(zip(self.parts, self._matrices(choice), strict=True)):
            result[part] = _boost(training, self.truths[self._folds[index][0]], choice).predict(
                held_out, output_margin=True
            )
            self.budget.spend(cost)
            if self.margins and index == 0:
                lead = self._estimate(result, part).value - self._estimate(self.margins[best], part).value
                if lead < 0:
                    return best
        self.margins[choice] = result
        everything = slice(None)
        is_better = self._estimate(result, everything).value > self._estimate(self.margins[best], everything).value
        return choice if is_better else best

    def _estimate(self, margins: Any, rows: Any) -> Estimate:
        return estimate(self.objective, _choose_classes(margins[rows]), self.truths[rows])

    def _matrices(self, choice: Choice) -> list[tuple[Any, Any]]:
        """Return XGBoost's matrices of each fold, made once for consecutive choices that differ in nothing else."""
        needed = (choice.contrast, self.is_pruned(choice))
        if self._data_of != needed:
            self._data_of, self._data = needed, []
            for rows, training, held_out in self._folds:
                factors = compute_strengths(training, self.truths[rows], choice.contrast)
                created = _create_data(training, factors, self.truths[rows], is_pruned=needed[1])
                self._data.append((created, _create_data(held_out, factors)))
        return self._data

    def _fold(self, part: Any) -> tuple[Any, Any, Any]:
        """Return the training rows, (rows,), their matrix, and the matrix of the part that is held out."""
        inside = list_others(part, len(self.truths))
        matrix = self.counted.weigh(self.counted.weights(inside))
        return inside, matrix[inside], matrix[part]


def _create_data(matrix: Any, factors: Any, truths: Any = None, *, is_pruned: bool = False) -> Any:
    """Return the rows that `Features` gives once its terms have these strengths; pruned without those of one text."""
    import numpy
    from xgboost import DMatrix

    rows = normalize_rows(weight_columns(matrix, factors))
    if is_pruned:
        frequent = numpy.bincount(rows.indices, minlength=rows.shape[1]) > 1
        rows.data *= frequent[rows.indices]
        rows.eliminate_zeros()
    return DMatrix(rows, truths)


def _boost(data: Any, truths: Any, choice: Choice) -> Any:
    """Train one booster, with one thread: sums in another order would give another model."""
    import numpy
    import xgboost

    counts = numpy.bincount(truths)
    shares = len(truths) / (len(counts) * numpy.maximum(1, counts)) if choice.balanced else numpy.ones(len(counts))
    data.set_weight(shares[truths])
    many = {"objective": "multi:softprob", "num_class": len(counts)}
    objective = {"objective": "binary:logistic"} if len(counts) == 2 else many
    fixed = {"nthread": 1, "seed": SEED, "verbosity": 0}
    booster = xgboost.Booster({**objective, **fixed, **choice.parameters}, [data])
    for step in range(choice.rounds):
        booster.update(data, step)
    return booster


def _choose_classes(margins: Any) -> Any:
    return (margins > 0).astype(int) if margins.ndim == 1 else margins.argmax(axis=1)
