"""Whether a score's confidence can be believed, and what a threshold on it would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plexus.evaluation.intervals import wilson

BINS = 10
FEW = 20
ROUND = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Bin:
    """Texts whose confidence lies in [low, high): their number, mean confidence, and share of right values (95 %)."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True)
class Threshold:
    """If only values of at least this confidence were used: the share of texts that have one, and how often right."""

    confidence: float
    coverage: float
    accuracy: float


def bins(judged: Sequence[tuple[float, bool]], count: int = BINS) -> list[Bin]:
    """(confidence, right) pairs in bins of equal width over 0 to 1; empty bins are left out."""
    gathered: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in judged:
        gathered.setdefault(min(int(confidence * count), count - 1), []).append((confidence, right))
    return [_bin(place / count, (place + 1) / count, pairs) for place, pairs in sorted(gathered.items())]


def expected_error(found: Sequence[Bin]) -> float | None:
    """Expected calibration error: the mean distance of confidence and accuracy, weighted by the bins' texts."""
    total = sum(each.count for each in found)
    if not total:
        return None
    return sum(each.count * abs(each.confidence - each.accuracy) for each in found) / total


def thresholds(judged: Sequence[tuple[float, bool]], total: int, most: int = 100) -> list[Threshold]:
    """Coverage and accuracy for at most `most` thresholds, from the highest confidence down to none at all.

    `total` counts the texts that have a value; those whose value has no confidence reach no threshold. The first
    threshold leaves 20 texts or more: an accuracy of fewer would be noise.
    """
    ordered = sorted(judged, reverse=True)
    right, last = 0, 0
    found: list[Threshold] = []
    step = max(1, len(ordered) // most)
    for place, (confidence, is_right) in enumerate(ordered, start=1):
        right += is_right
        if place < len(ordered) and ordered[place][0] == confidence:
            continue  # equal confidences pass or fail together
        if place == len(ordered) or place - last >= (step if found else FEW):
            found.append(Threshold(confidence, place / total, right / place))
            last = place
    return found


def at(judged: Sequence[tuple[float, bool]], total: int, least: Sequence[float] = ROUND) -> list[Threshold]:
    """The same at round thresholds, for a table; those that no text reaches are left out."""
    found = []
    for confidence in least:
        kept = [right for each, right in judged if each >= confidence]
        if kept:
            found.append(Threshold(confidence, len(kept) / total, sum(kept) / len(kept)))
    return found


def _bin(low: float, high: float, pairs: Sequence[tuple[float, bool]]) -> Bin:
    number, right = len(pairs), sum(right for _, right in pairs)
    confidence = sum(confidence for confidence, _ in pairs) / number
    return Bin(low, high, number, confidence, right / number, *(wilson(right, number) or (0.0, 1.0)))
