"""Whether a score's confidence can be believed, and what a threshold on it would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10
FEW = 20


@dataclass(frozen=True)
class Bin:
    """Texts whose confidence lies in [low, high): their number, mean confidence, and share of right values."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


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
    return [
        Bin(
            place / count,
            (place + 1) / count,
            len(pairs),
            sum(confidence for confidence, _ in pairs) / len(pairs),
            sum(right for _, right in pairs) / len(pairs),
        )
        for place, pairs in sorted(gathered.items())
    ]


def expected_error(found: Sequence[Bin]) -> float | None:
    """Expected calibration error: the mean distance of confidence and accuracy, weighted by the bins' texts."""
    total = sum(each.count for each in found)
    if not total:
        return None
    return sum(each.count * abs(each.confidence - each.accuracy) for each in found) / total


def thresholds(judged: Sequence[tuple[float, bool]], most: int = 100) -> list[Threshold]:
    """Coverage and accuracy for at most `most` thresholds, from the highest confidence down to none at all.

    The first leaves 20 texts or more: an accuracy of fewer would be noise.
    """
    ordered = sorted(judged, reverse=True)
    total, right = len(ordered), 0
    found: list[tuple[int, Threshold]] = []
    step = max(1, total // most)
    for place, (confidence, is_right) in enumerate(ordered, start=1):
        right += is_right
        ends = place == total or ordered[place][0] != confidence  # equal confidences pass or fail together
        if ends and (place == total or place - (found[-1][0] if found else 0) >= (step if found else FEW)):
            found.append((place, Threshold(confidence, place / total, right / place)))
    return [each for _, each in found]
