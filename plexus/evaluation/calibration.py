"""Calibration of a score's confidence, and the effect of thresholds on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plexus.evaluation.proportions import wilson

BINS = 10
#: The accuracy of fewer texts is noise.
FEW = 20
#: Thresholds of confidence that pages and tables list.
ROUND = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Bin:
    """Texts with a confidence from low to high: count, mean confidence, and accuracy with its 95 % interval."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True)
class Threshold:
    """Coverage and accuracy if only values of at least this confidence were used."""

    confidence: float
    coverage: float
    accuracy: float


def group_into_bins(pairs: Sequence[tuple[float, bool]], count: int = BINS, least: int = FEW) -> list[Bin]:
    """Group (confidence, right) pairs, ordered by confidence, into at most `count` bins of about equal numbers.

    A bin has at least `least` texts, if there are as many, and equal confidences are in one bin: bins of equal width
    hold few texts where confidences are rare, and their accuracies are noise.
    """
    ordered = sorted(pairs)
    size = max(least, -(-len(ordered) // count))
    results: list[list[tuple[float, bool]]] = []
    for pair in ordered:
        if not results or (len(results[-1]) >= size and results[-1][-1][0] != pair[0]):
            results.append([])
        results[-1].append(pair)
    if len(results) > 1 and len(results[-1]) < least:
        results[-2:] = [results[-2] + results[-1]]
    return [_create_bin(pairs[0][0], pairs[-1][0], pairs) for pairs in results]


def compute_error(bins: Sequence[Bin]) -> float | None:
    """Return the expected calibration error: mean distance of confidence and accuracy, weighted by texts."""
    total = sum(entry.count for entry in bins)
    if not total:
        return None
    return sum(entry.count * abs(entry.confidence - entry.accuracy) for entry in bins) / total


def list_thresholds(pairs: Sequence[tuple[float, bool]], total: int, most: int = 100) -> list[Threshold]:
    """Return about `most` thresholds, from the highest confidence down to the lowest.

    `total` is the number of texts with a value; a value without a confidence reaches no threshold. The first threshold
    keeps at least 20 texts: the accuracy of fewer would be noise.
    """
    ordered = sorted(pairs, reverse=True)
    right, last = 0, 0
    rows: list[Threshold] = []
    step = max(1, len(ordered) // most)
    for place, (confidence, is_right) in enumerate(ordered, start=1):
        right += is_right
        if place < len(ordered) and ordered[place][0] == confidence:
            continue  # equal confidences pass or fail together
        if place == len(ordered) or place - last >= (step if rows else FEW):
            rows.append(Threshold(confidence, place / total, right / place))
            last = place
    return rows


def list_round_thresholds(
    pairs: Sequence[tuple[float, bool]], total: int, least: Sequence[float] = ROUND
) -> list[Threshold]:
    """Return the thresholds of `least` (by default round ones) that a text reaches, as `list_thresholds` does.

    `pairs` are (confidence, whether right); `total` is the number of all texts, those without a confidence included,
    so that coverage is their share. A threshold that no text reaches is left out.
    """
    points = []
    for confidence in least:
        reached = [right for value, right in pairs if value >= confidence]
        if reached:
            points.append(Threshold(confidence, len(reached) / total, sum(reached) / len(reached)))
    return points


def _create_bin(low: float, high: float, pairs: Sequence[tuple[float, bool]]) -> Bin:
    number, right = len(pairs), sum(right for _, right in pairs)
    confidence = sum(confidence for confidence, _ in pairs) / number
    return Bin(low, high, number, confidence, right / number, *(wilson(right, number) or (0.0, 1.0)))
