"""From lines of the log to durations over time, and to errors by cause and fate."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from .lines import Failure, Invocation, Line, Metrics
from .values import Bucket, Latency, Trouble, Troubles

STEPS = 60
SPANS_MS = (300_000, 900_000, 3_600_000)  # the shortest that holds everything


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed (nearest rank); `ordered` is not empty."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latency(lines: Iterable[Line], now_ms: int, note: str = "") -> Latency:
    """Median and 99th percentile of jobs, or of invocations where the worker tells nothing, in 60 steps to now."""
    known = list(lines)
    metrics = [line for line in known if isinstance(line, Metrics)]
    invocations = [line for line in known if isinstance(line, Invocation)]
    points = [(line.at_ms, value) for line in metrics for value in line.durations_ms]
    what = "jobs" if points or not invocations else "invocations"
    if what == "invocations":
        points = [(line.at_ms, line.duration_ms) for line in invocations]
    start, step = _span([at for at, _ in points], now_ms)
    values = sorted(value for _, value in points)
    return Latency(
        what=what,
        start_ms=start,
        step_ms=step,
        steps=STEPS,
        buckets=_buckets(points, start, step),
        count=len(values),
        p50=percentile(values, 0.5) if values else None,
        p99=percentile(values, 0.99) if values else None,
        invocations=len(invocations),
        cold_starts=sum(line.cold for line in invocations) or sum(line.cold for line in metrics),
        note=note,
    )


def _span(times: Sequence[int], now_ms: int) -> tuple[int, int]:
    """Start and step: a busy five minutes are not squeezed into a corner of the hour."""
    oldest = min(times, default=now_ms - SPANS_MS[-1])
    span = next((span for span in SPANS_MS if now_ms - span <= oldest), SPANS_MS[-1])
    step = span // STEPS
    end = (now_ms // step + 1) * step  # whole steps: a bucket keeps its values while it moves
    return end - span, step


def _buckets(points: Iterable[tuple[int, float]], start: int, step: int) -> tuple[Bucket, ...]:
    found: dict[int, list[float]] = defaultdict(list)
    for at, value in points:
        if at >= start:
            found[(at - start) // step].append(value)
    return tuple(
        Bucket(start + number * step, len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.99))
        for number, values in sorted(found.items())
        for ordered in [sorted(values)]
    )


def troubles(lines: Iterable[Line], since_ms: int, note: str = "") -> Troubles:
    """Errors and warnings by cause and fate, errors first, then the latest."""
    groups: dict[tuple[str, str, str], list[Failure]] = defaultdict(list)
    for line in lines:
        if isinstance(line, Failure):
            groups[line.level, line.cause, line.fate].append(line)
    found = []
    for (level, cause, fate), members in groups.items():
        last = max(members, key=lambda one: one.at_ms)
        found.append(Trouble(cause, fate, level, len(members), last.at_ms, last.said, last.scoring_job_id))
    found.sort(key=lambda one: (one.level, -one.last_ms))  # ERROR before WARNING
    return Troubles(found, since_ms, note)
