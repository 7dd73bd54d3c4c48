"""The geometry of the latency plot: SVG paths in a 600 × 100 box, and tick labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..aws.ledger import Entry
from .values import Latency

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
class Mark:
    """A change of the alias during the plot: its distance from the left, and what it was."""

    x: float
    text: str


@dataclass(frozen=True)
class Row:
    """A step in numbers: its start in ms since 1970, durations, failed invocations; None without a duration."""

    at_ms: int
    count: int
    failed: int
    p50: float | None
    p99: float | None


@dataclass(frozen=True)
class Plot:
    """`up` has the tick labels from top to bottom, `across` the times from left to right in ms since 1970.

    Paths connect consecutive steps; a step without neighbours is a dot. `bars` and `failed` have one scale, whose top
    is `most`. `rows` has the numbers, latest first.
    """

    p50: str
    p99: str
    p50_dots: str
    p99_dots: str
    up: Sequence[str]
    across: Sequence[int]
    bars: Sequence[Bar]
    failed: Sequence[Bar]
    most: int
    marks: Sequence[Mark]
    rows: Sequence[Row]


def plot(latency: Latency, changes: Sequence[Entry] = ()) -> Plot:
    """Compute the geometry of the durations, of the failed invocations, and of the alias's changes meanwhile.

    Coordinates are in the units of the box, and paths are broken where a step has no job.
    """
    top = round_up(max((bucket.p99 for bucket in latency.buckets), default=0.0))
    most = max([bucket.count for bucket in latency.buckets] + list(latency.failed.values()), default=0)
    p50, p50_dots = _paths(latency, [bucket.p50 for bucket in latency.buckets], top)
    p99, p99_dots = _paths(latency, [bucket.p99 for bucket in latency.buckets], top)
    return Plot(
        p50=p50,
        p99=p99,
        p50_dots=p50_dots,
        p99_dots=p99_dots,
        up=[format_milliseconds(top * tick / TICKS) for tick in range(TICKS, -1, -1)],
        across=[latency.start_ms + latency.step_ms * latency.steps * part // 4 for part in range(5)],
        bars=[_bar(latency, bucket.at_ms, bucket.count, most) for bucket in latency.buckets],
        failed=[_bar(latency, at, count, most) for at, count in latency.failed.items()],
        most=most,
        marks=[mark for entry in changes if (mark := _mark(latency, entry))],
        rows=_rows(latency),
    )


def _mark(latency: Latency, entry: Entry) -> Mark | None:
    """Return the mark of a change of the alias; None if it was before the plot, or its time is unreadable."""
    try:
        at_ms = datetime.fromisoformat(entry.at).timestamp() * 1000
    except ValueError:  # an entry by another writer
        return None
    share = (at_ms - latency.start_ms) / (latency.step_ms * latency.steps)
    text = f"{entry.action}: {entry.previous_version or 'none'} → {entry.version}"
    return Mark(round(WIDTH * share, 1), text) if 0 <= share <= 1 else None


def _rows(latency: Latency) -> list[Row]:
    buckets = {bucket.at_ms: bucket for bucket in latency.buckets}
    rows = []
    for at in sorted({*buckets, *latency.failed}, reverse=True):
        bucket, failed = buckets.get(at), latency.failed.get(at, 0)
        rows.append(Row(at, bucket.count, failed, bucket.p50, bucket.p99) if bucket else Row(at, 0, failed, None, None))
    return rows


def round_up(value: float) -> float:
    """Round up to 1, 2, 3, 4, 5, 6, 8, 10, 20, …, whose quarters make short labels."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(factor * power for factor in (1, 2, 3, 4, 5, 6, 8, 10) if factor * power >= value))


def format_milliseconds(value: float) -> str:
    """Format milliseconds: `250 ms`, `1.5 s`, `3 min`."""
    if value >= 120_000:
        return f"{value / 60_000:.3g} min"
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"


def _x(latency: Latency, at_ms: int) -> float:
    return WIDTH * ((at_ms - latency.start_ms) / latency.step_ms + 0.5) / latency.steps


def _paths(latency: Latency, values: Sequence[float], top: float) -> tuple[str, str]:
    """Return SVG paths: lines through consecutive points, and dots (lines of length 0) for single ones."""
    runs: list[list[str]] = []
    before = None
    for bucket, value in zip(latency.buckets, values, strict=True):
        point = f"{_x(latency, bucket.at_ms):.1f} {HEIGHT * (1 - value / top):.1f}"
        if before is not None and bucket.at_ms - before <= latency.step_ms:
            runs[-1].append(point)
        else:
            runs.append([point])
        before = bucket.at_ms
    lines = "".join(f"M{run[0]}L{' '.join(run[1:])}" for run in runs if len(run) > 1)
    return lines, "".join(f"M{run[0]}h0" for run in runs if len(run) == 1)


def _bar(latency: Latency, at_ms: int, count: int, most: int) -> Bar:
    width, height = WIDTH / latency.steps, max(1.0, BARS * count / most)
    return Bar(round(_x(latency, at_ms) - width * 0.4, 1), round(BARS - height, 1), width * 0.8, height, count)
