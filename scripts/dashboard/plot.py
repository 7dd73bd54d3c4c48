"""The geometry of the latency plot: SVG paths in a 600 × 100 box, and tick labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .values import Bucket, Latency

WIDTH, HEIGHT = 600, 100
BARS = 24
TICKS = 4


@dataclass(frozen=True)
class Bar:
    """A bar with the number of durations in a step."""

    x: float
    y: float
    width: float
    height: float
    count: int


@dataclass(frozen=True)
class Plot:
    """`up` has the tick labels from top to bottom, `across` the times from left to right in ms since 1970.

    Paths connect consecutive steps; a step without neighbours is a dot.
    """

    p50: str
    p99: str
    p50_dots: str
    p99_dots: str
    up: Sequence[str]
    across: Sequence[int]
    bars: Sequence[Bar]
    most: int


def plot(latency: Latency) -> Plot:
    """Compute the geometry of the durations."""
    top = ceiling(max((bucket.p99 for bucket in latency.buckets), default=0.0))
    most = max((bucket.count for bucket in latency.buckets), default=0)
    p50, p50_dots = _paths(latency, [bucket.p50 for bucket in latency.buckets], top)
    p99, p99_dots = _paths(latency, [bucket.p99 for bucket in latency.buckets], top)
    return Plot(
        p50=p50,
        p99=p99,
        p50_dots=p50_dots,
        p99_dots=p99_dots,
        up=[milliseconds(top * tick / TICKS) for tick in range(TICKS, -1, -1)],
        across=[latency.start_ms + latency.step_ms * latency.steps * part // 4 for part in range(5)],
        bars=[_bar(latency, bucket, most) for bucket in latency.buckets],
        most=most,
    )


def ceiling(value: float) -> float:
    """Round up to 1, 2, 3, 4, 5, 6, 8, 10, 20, …, whose quarters make short labels."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(factor * power for factor in (1, 2, 3, 4, 5, 6, 8, 10) if factor * power >= value))


def milliseconds(value: float) -> str:
    """Format milliseconds: `250 ms`, `1.5 s`, `3 min`."""
    if value >= 120_000:
        return f"{value / 60_000:.3g} min"
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"


def _x(latency: Latency, bucket: Bucket) -> float:
    return WIDTH * ((bucket.at_ms - latency.start_ms) / latency.step_ms + 0.5) / latency.steps


def _paths(latency: Latency, values: Sequence[float], top: float) -> tuple[str, str]:
    """Return SVG paths: lines through consecutive points, and dots (lines of length 0) for single ones."""
    runs: list[list[str]] = []
    before = None
    for bucket, value in zip(latency.buckets, values, strict=True):
        point = f"{_x(latency, bucket):.1f} {HEIGHT * (1 - value / top):.1f}"
        if before is not None and bucket.at_ms - before <= latency.step_ms:
            runs[-1].append(point)
        else:
            runs.append([point])
        before = bucket.at_ms
    lines = "".join(f"M{run[0]}L{' '.join(run[1:])}" for run in runs if len(run) > 1)
    return lines, "".join(f"M{run[0]}h0" for run in runs if len(run) == 1)


def _bar(latency: Latency, bucket: Bucket, most: int) -> Bar:
    width, height = WIDTH / latency.steps, max(1.0, BARS * bucket.count / most)
    return Bar(round(_x(latency, bucket) - width * 0.4, 1), round(BARS - height, 1), width * 0.8, height, bucket.count)
