"""Train the support vector machine; the same texts and labels give the same model.

The search starts with what anybody would try first, single words and default parameters, and changes one thing at a
time. It may cost ten times the plain model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from plexus.learning.features import Block, Counting, Features, stack
from plexus.learning.model_files import round_bits
from plexus.learning.objectives import (
    ACCURACY,
    Estimate,
    Objective,
    choose,
    choose_unseen,
    estimate,
    fit_thresholds,
    list_others,
    predict_unseen,
)
from plexus.learning.svm import BLOCKS, SVMModel, choose_classes, fit_calibration
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

WORDS = (Block("word", (1, 1), negations=True),)
ALL = "words, pairs and characters"
TERMS = {"words": WORDS, ALL: BLOCKS}


@dataclass(frozen=True)
class Choice:
    """Parameters to choose from: terms, the weight of their class contrast (0–1), class weights, and C."""

    terms: str = "words"
    contrast: float = 0.0
    balanced: bool = False
    strength: float = 1.0

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters by the names that the report gives them."""
        weights = "balanced" if self.balanced else "equal"
        return {"terms": self.terms, "C": self.strength, "contrast": self.contrast, "class_weights": weights}


PLAIN = Choice()
#: The best on most sets of bench/quality.py; without pairs and characters where they cost too much.
USUAL = Choice(ALL, 0.5, balanced=True)


def train(texts: Sequence[str], labels: Sequence[str], objective: Objective = ACCURACY) -> tuple[SVMModel, Report]:
    """Choose parameters by cross-validation, fit a model on all texts, and return it with its report.

    Raises InvalidData if a label has too few texts, the texts have too few words in common, or no text has the
    objective's class.
    """
    import numpy

    classes = tuple(sorted(set(labels)))
    target = objective.number(classes)
    numbers = {label: number for number, label in enumerate(classes)}
    truths = numpy.asarray([numbers[label] for label in labels])
    advance(0.0)
    folds = split_into_folds(texts, labels, truths)
    search = Search(texts, truths, folds.parts, objective, target)
    best, candidates = search.run()
    distances, shifts = search.distances[best], 0.0
    moved = predict_unseen(objective, distances, truths, search.parts, target)
    if choose([estimate(objective, each, truths, target) for each in (search.predict(best), moved)]) == 1:
        candidates.append(moved)
        shifts = fit_thresholds(objective, distances, truths, target)
    elif objective.kind == "recall_at_precision":
        shifts = fit_thresholds(objective, distances, truths, target)
    slopes, offsets = fit_calibration(distances + shifts, _mark_columns(truths, classes))
    features = Features(TERMS[best.terms])
    matrix = features.fit(search.counted[best.terms])
    factors = compute_strengths(matrix, truths, best.contrast)
    weights, intercepts = fit(weight_columns(matrix, factors), truths, best)
    weights, *curve = map(round_bits, (weights * factors, intercepts + shifts, slopes, offsets))
    model = SVMModel(classes, features, weights.astype(numpy.float32), *curve)
    unseen = choose_unseen(objective, candidates, truths, search.parts, target)
    parameters = {**best.parameters, "thresholds": "moved" if numpy.any(shifts) else "none"}
    return model, Report.of(classes, truths, unseen, objective, parameters, folds, len(search.distances))


class Search:
    """Candidates and the distances of texts that each had not seen, (texts, columns), in `distances`."""

    def __init__(self, texts: Sequence[str], truths: Any, parts: Sequence[Any], objective: Objective, target: int):
        self.texts, self.truths, self.parts = texts, truths, parts
        self.objective, self.target = objective, target
        self.columns = count_columns(int(truths.max()) + 1)
        self.distances: dict[Choice, Any] = {}
        self.counting = Counting(texts)
        self.counted = {"words": [self.counting.count(block) for block in WORDS]}
        self._terms, self._folds = "", dict[float, list[Fold]]()
        self._predicted: dict[Choice, Any] = {}
        matrix = self.counted["words"][0].dampened
        self.entries = {"words": matrix.nnz, ALL: min(_MORE * matrix.nnz, 3 * sum(map(len, texts)))}
        self.budget = Budget.of(texts, matrix.nnz, self.columns)

    def run(self) -> tuple[Choice, list[Any]]:
        """Try candidates; return the chosen one, and the predictions of all, (texts,), in the order of preference."""
        self._try(PLAIN, always=True)
        if not self._try(USUAL):
            self._try(replace(USUAL, terms="words"))
        for change in _CHANGES:
            self._try(replace(self.find_best(), **change))
        tried = [choice for choice in self.distances if choice != PLAIN] + [PLAIN]
        candidates = [self.predict(choice) for choice in tried]
        chosen = choose([self._estimate(each) for each in candidates])
        advance(1.0)
        return tried[chosen], candidates

    def find_best(self) -> Choice:
        """Return the candidate with the best estimate so far; the first of equals."""
        return max(self.distances, key=lambda choice: self._estimate(self.predict(choice)).value)

    def predict(self, choice: Choice) -> Any:
        """Return the classes that a candidate gave to texts that it had not seen, (texts,).

        Thresholds for recall are fitted without the texts that they are tried on. Cached by candidate.
        """
        if choice not in self._predicted:
            distances = self.distances[choice]
            recall = self.objective.kind == "recall_at_precision"
            self._predicted[choice] = (
                predict_unseen(self.objective, distances, self.truths, self.parts, self.target)
                if recall
                else choose_classes(distances)
            )
        return self._predicted[choice]

    def _estimate(self, predicted: Any) -> Estimate:
        return estimate(self.objective, predicted, self.truths, self.target)

    def _try(self, choice: Choice, *, always: bool = False) -> bool:
        """Fit the candidate on all folds, if what is left of the budget pays for it and for its model on all texts."""
        import numpy

        if choice in self.distances:
            return True
        entries = self.entries[choice.terms]
        fit_cost = entries * (_FIT * (1 + self.columns) + _WEIGH)
        folds_cost = (len(self.parts) - 1) * fit_cost
        count_cost = 0.0 if choice.terms in self.counted else _COUNT * entries
        if not always and not self.budget.pays(count_cost + folds_cost + fit_cost):
            return False
        if choice.terms not in self.counted:
            self.counted[choice.terms] = [self.counting.count(block) for block in TERMS[choice.terms]]
        result = numpy.zeros((len(self.texts), self.columns))
        for part, fold in zip(self.parts, self._matrices(choice.terms, choice.contrast), strict=True):
            weights, intercepts = fit(fold.training, self.truths[fold.rows], choice, tolerance=0.01)
            result[part] = fold.held_out @ (weights * fold.strengths).T + intercepts
            self.budget.spend((count_cost + folds_cost) / len(self.parts))
        self.distances[choice] = result
        return True

    def _matrices(self, terms: str, contrast: float) -> list[Fold]:
        """Return the matrices of each fold, made once for all choices with these terms and this contrast."""
        if terms != self._terms:
            self._terms, self._folds = terms, {}  # one kind at a time: many texts would not fit into memory twice
        if 0.0 not in self._folds:
            self._folds[0.0] = [self._fold(part) for part in self.parts]
        if contrast not in self._folds:
            self._folds[contrast] = [fold.with_contrast(self.truths, contrast) for fold in self._folds[0.0]]
        return self._folds[contrast]

    def _fold(self, part: Any) -> Fold:
        import numpy

        inside = list_others(part, len(self.texts))
        matrix = stack([counts.weigh(counts.weights(inside)) for counts in self.counted[self._terms]])
        return Fold(inside, matrix[inside], matrix[part], numpy.ones(1, dtype=numpy.float32))


@dataclass(frozen=True)
class Fold:
    """A fold: the training rows, (rows,), their matrix, and the matrix of the texts that are held out.

    The terms of `training` are multiplied by `strengths`, (terms,); those of `held_out` are not.
    """

    rows: Any
    training: Any
    held_out: Any
    strengths: Any

    def with_contrast(self, truths: Any, contrast: float) -> Fold:
        """Return the fold with terms that weigh more the more they set classes apart."""
        factors = compute_strengths(self.training, truths[self.rows], contrast)
        return replace(self, training=weight_columns(self.training, factors), strengths=factors)


#: What counting, weighing and a fit cost for each entry of the matrix, a fit for each column.
_COUNT, _WEIGH, _FIT = 250, 40, 15
#: Entries of all terms for each entry of single words, at most, as eleven sets of texts in three languages have them.
_MORE = 7
#: One thing is changed at a time, and the best so far is where the next change starts.
_CHANGES: tuple[dict[str, Any], ...] = (
    {"contrast": 0.0},
    {"strength": 0.3},
    {"balanced": False},
    {"terms": "words"},
    {"strength": 3.0},
)


def fit(matrix: Any, truths: Any, choice: Choice, tolerance: float = 1e-4) -> tuple[Any, Any]:
    """Return weights, (columns, terms), and intercepts, (columns,), for a matrix whose terms have their strengths.

    `matrix` is (texts, terms), sparse, and `truths` (texts,). Two classes have one column, positive for the second.
    """
    from sklearn.svm import LinearSVC

    weights = "balanced" if choice.balanced else None
    machine = LinearSVC(
        C=choice.strength, class_weight=weights, random_state=SEED, dual=True, max_iter=5000, tol=tolerance
    )
    machine.fit(matrix, truths)
    return machine.coef_, machine.intercept_


def _mark_columns(truths: Any, classes: Sequence[str]) -> Any:
    """Return whether each text has each column's class, (texts, columns)."""
    import numpy

    if len(classes) == 2:
        return (truths == 1).reshape(-1, 1)
    return numpy.stack([truths == index for index in range(len(classes))], axis=1)
