"""Aggregate log lines to durations over time, and to errors by cause and outcome."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from ..aws.health import Environment, parse_version
from ..console.percentile import compute_percentile
from .lines import Complaint, Failure, Invocation, Line, Metrics
from .values import Bucket, Latency, Served, Trouble, Troubles

STEPS = 60
SPANS_MS = (300_000, 900_000, 3_600_000)  # the shortest period that contains all lines


def compute_latency(lines: Iterable[Line], now_ms: int, note: str = "") -> Latency:
    """Return median and 99th percentile of jobs in 60 steps until now; of invocations if there are no metrics.

    All times are in milliseconds, `now_ms` since 1970. Steps without a job have no bucket. `note` is shown beside the
    figures.
    """
    known = list(lines)
    metrics = [line for line in known if isinstance(line, Metrics)]
    finished = list_invocations(known)
    invocations = [one for one, failure in finished if not failure]
    points = [(line.at_ms, value) for line in metrics for value in line.durations_ms]
    what = "jobs" if points or not invocations else "invocations"
    if what == "invocations":
        points = [(line.at_ms, line.duration_ms) for line in invocations]
    crashes = [line.at_ms for line, failure in finished if failure]
    start, step = _span([*crashes, *(at for at, _ in points)], now_ms)
    values = sorted(value for _, value in points)
    return Latency(
        what=what,
        start_ms=start,
        step_ms=step,
        steps=STEPS,
        buckets=_buckets(points, start, step),
        count=len(values),
        p50=compute_percentile(values, 0.5) if values else None,
        p99=compute_percentile(values, 0.99) if values else None,
        invocations=len(invocations),
        cold_starts=sum(line.cold for line in invocations) or sum(line.cold for line in metrics),
        note=note,
        failed=dict(Counter(start + (at - start) // step * step for at in crashes if at >= start)),
    )


def _span(times: Sequence[int], now_ms: int) -> tuple[int, int]:
    """Return start and step in milliseconds; the period shrinks to the lines: five busy minutes fill the plot."""
    oldest = min(times, default=now_ms - SPANS_MS[-1])
    span = next((span for span in SPANS_MS if now_ms - span <= oldest), SPANS_MS[-1])
    step = span // STEPS
    # Aligned to whole steps, so that a bucket keeps its values from one reading to the next.
    end = (now_ms // step + 1) * step
    return end - span, step


def _buckets(points: Iterable[tuple[int, float]], start: int, step: int) -> tuple[Bucket, ...]:
    buckets: dict[int, list[float]] = defaultdict(list)
    for at, value in points:
        if at >= start:
            buckets[(at - start) // step].append(value)
    return tuple(
        Bucket(start + number * step, len(ordered), compute_percentile(ordered, 0.5), compute_percentile(ordered, 0.99))
        for number, values in sorted(buckets.items())
        for ordered in [sorted(values)]
    )


def list_invocations(lines: Iterable[Line]) -> list[tuple[Invocation, str]]:
    """Return every invocation with why it failed, empty if it did not; lines are in order of time.

    A failed invocation writes up to four lines: those before its report say why, and belong to it.
    """
    environments: dict[str, Environment] = defaultdict(Environment)
    results = []
    for line in lines:
        if isinstance(line, Complaint):
            environments[line.stream].add(line.failure, line.init_failure)
        elif isinstance(line, Invocation):
            results.append((line, environments[line.stream].end(line.failure)))
    return results


def group_troubles(lines: Iterable[Line], since_ms: int, note: str = "") -> Troubles:
    """Return errors and warnings by cause and outcome, errors first, then the latest, and failures by version.

    A failed invocation counts as an error of its own, besides those that the worker has logged.
    """
    known = list(lines)
    groups: dict[tuple[str, str, str], list[Failure]] = defaultdict(list)
    served: dict[str, list[str]] = defaultdict(list)
    for invocation, failure in list_invocations(known):
        served[parse_version(invocation.stream)].append(failure)
        if failure:
            known.append(Failure(invocation.at_ms, "ERROR", "invocation failed", "messages redelivered", failure))
    for line in known:
        if isinstance(line, Failure):
            groups[line.level, line.cause, line.fate].append(line)
    listed = []
    for (level, cause, fate), members in groups.items():
        last = max(members, key=lambda one: one.at_ms)
        listed.append(Trouble(cause, fate, level, len(members), last.at_ms, last.said, last.scoring_job_id))
    listed.sort(key=lambda one: (one.level, -one.last_ms))  # ERROR sorts before WARNING
    versions = [
        Served(version, len(ends), sum(map(bool, ends)), bool(ends[-1])) for version, ends in sorted(served.items())
    ]
    return Troubles(listed, since_ms, note, versions)
