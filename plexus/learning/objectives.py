"""The objectives that a training optimises, their estimates with standard errors, and the choice among candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from plexus.exceptions import InvalidData
from plexus.learning.svm import choose_classes
from plexus.text import fold

#: Shifts of a class's distance that are tried, in units of the distance; the smaller of equals is chosen.
_SHIFTS = tuple(sign * size for size in (0.05, 0.1, 0.2, 0.3, 0.5, 0.75) for sign in (1, -1))


@dataclass(frozen=True)
class Objective:
    """The figure to optimise: accuracy, macro F1, or the recall of the class `of` at a least `precision` (0–1)."""

    kind: Literal["accuracy", "macro_f1", "recall_at_precision"] = "accuracy"
    of: str | None = None
    precision: float | None = None

    def number(self, classes: Sequence[str]) -> int:
        """Return the number of the class `of`, -1 if the objective names none. Raises InvalidData if no text has it."""
        if self.of is None:
            return -1
        spelt = [fold(name) for name in classes]
        if fold(self.of) not in spelt:
            known = ", ".join(map(repr, classes))
            raise InvalidData(f"optimise: recall of {self.of!r}: no text has that label; labels: {known}")
        return spelt.index(fold(self.of))


ACCURACY = Objective()


@dataclass(frozen=True)
class Estimate:
    """An objective's value on texts, and each text's influence on it, (texts,), whose mean is 0."""

    value: float
    influence: Any

    @property
    def error(self) -> float:
        """The standard error of the value."""
        return _compute_error(self.influence)


def estimate(objective: Objective, predicted: Any, truths: Any, target: int = -1) -> Estimate:
    """Return the objective's value for predicted classes, (texts,), and the true ones; `target` is the class `of`.

    The influence of a text is its derivative in the delta method: a class's F1 is 2 TP / (texts + predictions).
    """
    import numpy

    hits = predicted == truths
    if objective.kind == "accuracy":
        return Estimate(float(hits.mean()), hits - hits.mean())
    size, count = int(max(predicted.max(), truths.max())) + 1, len(truths)
    support, counts = numpy.bincount(truths, minlength=size), numpy.bincount(predicted, minlength=size)
    right = numpy.bincount(truths[hits], minlength=size)
    if objective.kind == "recall_at_precision":
        recall = right[target] / max(1, support[target])
        return Estimate(float(recall), (truths == target) * (hits - recall) * count / max(1, support[target]))
    either = numpy.maximum(1, support + counts)
    scores = 2 * right / either
    present = int((support + counts > 0).sum())
    entry = scores / either
    influence = (2 * hits / either[truths] - entry[truths] - entry[predicted]) * count / present
    return Estimate(float(scores.sum() / present), influence)


def choose(estimates: Sequence[Estimate]) -> int:
    """Return the index of the first estimate that is within one standard error of the best.

    The order is that of simplicity. The error is that of the difference, text by text.
    Source: L. Breiman and others, "Classification and regression trees" (1984), there of trees.
    """
    best = max(estimates, key=lambda each: each.value)
    return next(
        place
        for place, each in enumerate(estimates)
        if best.value - each.value <= _compute_error(best.influence - each.influence)
    )


def choose_unseen(
    objective: Objective, candidates: Sequence[Any], truths: Any, parts: Sequence[Any], target: int = -1
) -> Any:
    """Return predictions, (texts,), of what `choose` would have chosen without the texts of each part.

    Choosing among many makes the winner look better than it is; these predictions do not.
    """
    import numpy

    result = numpy.empty_like(truths)
    for part in parts:
        others = list_others(part, len(truths))
        estimates = [estimate(objective, each[others], truths[others], target) for each in candidates]
        result[part] = candidates[choose(estimates)][part]
    return result


def list_others(part: Any, count: int) -> Any:
    """Return the indexes from 0 to `count` that are not in `part`, in order."""
    import numpy

    rest = numpy.ones(count, dtype=bool)
    rest[part] = False
    return numpy.flatnonzero(rest)


def fit_thresholds(objective: Objective, distances: Any, truths: Any, target: int = -1) -> Any:
    """Return what to add to each column of the distances, (columns,), so that the objective is best on these texts.

    `distances` are (texts, columns) and `truths` (texts,), numbers of classes; `target` is the class of a recall
    objective. Each column is shifted once, in order, so that the result depends on nothing else.
    """
    import numpy

    if objective.kind == "recall_at_precision":
        return _find_recall_shift(distances, truths, target, objective.precision or 0.0)
    shifts = numpy.zeros(distances.shape[1])
    result = choose_classes(distances)
    best = estimate(objective, result, truths).value
    for column in range(len(shifts)):
        instead, needed = _find_alternatives(distances + shifts, column)
        for shift in _SHIFTS:
            moved = numpy.where(shift > needed, 1 if len(shifts) == 1 else column, instead)
            value = estimate(objective, moved, truths).value
            if value > best + 1e-9:
                best, shifts[column] = value, shift
    return shifts


def _find_alternatives(distances: Any, column: int) -> tuple[Any, Any]:
    """Return each text's class without the column's, (texts,), and what the column must exceed to be it, (texts,)."""
    import numpy

    if distances.shape[1] == 1:
        return numpy.zeros(len(distances), dtype=int), -distances[:, 0]
    others = distances.copy()
    others[:, column] = -numpy.inf
    return others.argmax(axis=1), others.max(axis=1) - distances[:, column]


def predict_unseen(objective: Objective, distances: Any, truths: Any, parts: Sequence[Any], target: int = -1) -> Any:
    """Return predictions, (texts,), with thresholds that were learnt without the texts of each part.

    Each of `parts` has indexes of texts; together they have every text once.
    """
    import numpy

    result = numpy.empty_like(truths)
    for part in parts:
        others = list_others(part, len(truths))
        shifts = fit_thresholds(objective, distances[others], truths[others], target)
        result[part] = choose_classes(distances[part] + shifts)
    return result


def _find_recall_shift(distances: Any, truths: Any, target: int, precision: float) -> Any:
    """Shift the class's column so that most of its texts are found while its precision is at least `precision`."""
    import numpy

    column = 0 if distances.shape[1] == 1 else target
    sign = -1 if distances.shape[1] == 1 and target == 0 else 1
    needed = sign * _find_alternatives(distances, column)[1]
    order = numpy.argsort(needed, kind="stable")
    right = numpy.cumsum(truths[order] == target)
    precise = right / numpy.arange(1, len(order) + 1)
    last = numpy.append(numpy.diff(needed[order]) > 0, True)  # equal distances pass together
    reached = numpy.flatnonzero((precise >= precision) & last)
    place = int(reached[-1]) if len(reached) else int(numpy.argmax(numpy.where(last, precise, -1)))
    at = needed[order[place]]
    above = needed[order[place + 1]] if place + 1 < len(order) else at + 1
    shifts = numpy.zeros(distances.shape[1])
    shifts[column] = sign * (at + above) / 2
    return shifts


def _compute_error(influence: Any) -> float:
    return float((influence**2).mean() ** 0.5 / len(influence) ** 0.5)
