"""How well confidence ranks texts: ROC and precision-recall curves with their thresholds.

A score gives one confidence, that of its value. With two classes it ranks all texts by either class, as the confidence
in the other class is the rest to 1. With more classes it ranks the texts that got a class as value, so a curve ends at
the recall that the values have.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from plexus.evaluation.calibration import ROUND
from plexus.evaluation.predictions import Prediction
from plexus.evaluation.proportions import NORMAL, find_bound

MOST_POINTS = 200
MOST_CLASSES = 12


@dataclass(frozen=True)
class Point:
    """The figures of a class if texts of at least this confidence in it get it, and no others.

    `texts` is how many do; `false_positives` the share of the other classes' texts among them, of all of theirs.
    """

    threshold: float
    texts: int
    precision: float
    recall: float
    false_positives: float


@dataclass(frozen=True)
class Area:
    """The chance that a text of the class ranks above another (the area under the ROC curve), with its 95 % interval.

    The interval is Newcombe's method 5 of 2006, which is within 0 and 1, and wide for few texts even if all are ranked
    rightly.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A class's points, from the highest threshold down; `area` with two classes only, as other curves end early."""

    label: str
    support: int
    points: tuple[Point, ...]
    marked: tuple[Point, ...]
    average_precision: float
    area: Area | None


def curves(predictions: Sequence[Prediction], labels: Sequence[str]) -> tuple[Curve, ...]:
    """Return a curve for the rarer of two classes, or for each of several that is a label; none without confidences.

    `labels` are all classes in order. Texts without a value are left out. If any value has no confidence, or all texts
    have one label, there are no curves.
    """
    valued = [entry for entry in predictions if entry.value is not None]
    support = Counter(entry.label for entry in valued)
    if len(support) < 2 or any(entry.confidence is None for entry in valued):
        return ()
    if len(labels) == 2:
        rarer = min(reversed(labels), key=lambda label: support[label])
        return (_curve(rarer, valued, is_whole=True),)
    return tuple(_curve(label, valued, is_whole=False) for label in labels if support[label])


def area(positives: Sequence[float], negatives: Sequence[float]) -> Area:
    """Return the area under the ROC curve of two samples' scores; ties count half.

    Both samples must not be empty. The limits are those areas, on either side, from which the value is no further than
    chance explains in 95 % of samples; they stay within 0 and 1.
    """
    ranks = _midranks([*positives, *negatives])
    size, rest = len(positives), len(negatives)
    above = sum(ranks[score] for score in positives) - size * (size + 1) / 2
    value = above / (size * rest)

    def is_outside(limit: float) -> bool:
        return abs(value - limit) > NORMAL * math.sqrt(_variance(limit, size, rest))

    return Area(value, find_bound(is_outside, 0.0, value), find_bound(is_outside, 1.0, value))


def _curve(label: str, valued: Sequence[Prediction], *, is_whole: bool) -> Curve:
    ranked = [(_score(entry, label), entry.label == label) for entry in valued if is_whole or entry.value == label]
    ranked.sort(key=lambda pair: -pair[0])
    support = sum(entry.label == label for entry in valued)
    others = len(valued) - support
    points: list[Point] = []
    right, average, last = 0, 0.0, 0.0
    for rank, (threshold, is_right) in enumerate(ranked, start=1):
        right += is_right
        if rank < len(ranked) and ranked[rank][0] == threshold:
            continue  # equal confidences pass or fail together
        recall = right / support
        average += (recall - last) * right / rank
        last = recall
        points.append(Point(threshold, rank, right / rank, recall, (rank - right) / others))
    positives = [score for score, is_right in ranked if is_right]
    negatives = [score for score, is_right in ranked if not is_right]
    marked = _mark(points)
    return Curve(
        label,
        support,
        _thin(points, marked),
        marked,
        average,
        area(positives, negatives) if is_whole else None,
    )


def _score(entry: Prediction, label: str) -> float:
    confidence = entry.confidence or 0.0
    return confidence if entry.value == label else 1 - confidence


def _thin(points: list[Point], marked: Sequence[Point]) -> tuple[Point, ...]:
    """Return about 200 points, the first, the last and the marked ones among them."""
    step = max(1, -(-len(points) // MOST_POINTS))
    kept = {point.texts for point in (*points[::step], *points[-1:], *marked)}
    return tuple(point for point in points if point.texts in kept)


def _mark(points: list[Point]) -> tuple[Point, ...]:
    """Return the figures at round thresholds that a text reaches; equal ones once, at the highest threshold."""
    marked: list[Point] = []
    for least in ROUND:
        reached = [point for point in points if point.threshold >= least]
        if reached:
            marked = [point for point in marked if point.texts != reached[-1].texts]
            lowest = reached[-1]
            marked.append(Point(least, lowest.texts, lowest.precision, lowest.recall, lowest.false_positives))
    return tuple(marked)


def _midranks(scores: Sequence[float]) -> dict[float, float]:
    """Return score → mean rank from 1 among equal ones."""
    ranks: dict[float, float] = {}
    before = 0
    for score, count in sorted(Counter(scores).items()):
        ranks[score] = before + (count + 1) / 2
        before += count
    return ranks


def _variance(limit: float, size: int, rest: int) -> float:
    """Return the variance of an area of `limit` (R. Newcombe, 2006, part 2, method 5)."""
    mean = (size + rest) / 2 - 1
    spread = 1 + mean * (1 - limit) / (2 - limit) + mean * limit / (1 + limit)
    return limit * (1 - limit) * spread / (size * rest)
