"""The top of the page: problems, the worst first, and key figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..console.text import format_duration
from .plot import format_milliseconds
from .values import Deploys, Function, Jobs, Latency, Queues, Snapshot, Troubles

FAIL, WARN = "fail", "warn"


@dataclass(frozen=True)
class Remark:
    """A problem: its level, fail (jobs suffer) or warn, and the panel with the details."""

    level: str
    text: str
    panel: str


@dataclass(frozen=True)
class Figure:
    """A key figure; `value` is empty if it is unknown."""

    name: str
    value: str
    note: str
    level: str
    panel: str


def list_remarks(snapshot: Snapshot, visibility_timeout_s: float) -> list[Remark]:
    """Return all problems, the worst first."""
    known = [*_unread(snapshot), *_function(snapshot), *_queues(snapshot, visibility_timeout_s), *_jobs(snapshot)]
    return sorted(known, key=lambda remark: remark.level != FAIL)


def _plural(count: int, word: str, words: str = "") -> str:
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def _unread(snapshot: Snapshot) -> Iterator[Remark]:
    unread = [panel for panel in snapshot.panels.values() if panel.problem]
    if unread:
        all_of = f"{len(unread)} of {len(snapshot.panels)} panels could not be read"
        yield Remark(FAIL, "No panel could be read" if len(unread) == len(snapshot.panels) else all_of, unread[0].name)


def _function(snapshot: Snapshot) -> Iterator[Remark]:
    function = snapshot.panels["function"].value
    if not isinstance(function, Function):
        return
    if not function.version:
        yield Remark(WARN, f"No deployment: alias {function.alias} does not exist", "function")
    elif not function.is_well:
        yield Remark(FAIL, f"Function {function.state}, last update {function.last_update_status}", "function")
    if function.shares:
        yield Remark(WARN, "The alias sends calls to two versions", "function")


def _queues(snapshot: Snapshot, visibility_timeout_s: float) -> Iterator[Remark]:
    queues = snapshot.panels["queues"].value
    if not isinstance(queues, Queues):
        return
    for queue in queues.queues:
        if queue.problem:
            yield Remark(FAIL, f"The {queue.role} queue could not be read", "queues")
        elif queue.role == "requests" and (queue.oldest_s or 0) > visibility_timeout_s:
            yield Remark(FAIL, f"Oldest request: {format_duration(queue.oldest_s or 0)}", "queues")
    if queues.dead_letters:
        yield Remark(WARN, _plural(queues.dead_letters, "dead letter"), "letters")


def _jobs(snapshot: Snapshot) -> Iterator[Remark]:
    jobs, troubles = snapshot.panels["jobs"].value, snapshot.panels["troubles"].value
    if isinstance(jobs, Jobs) and jobs.lapsed:
        words = _plural(jobs.lapsed, "job is IN_PROGRESS", "jobs are IN_PROGRESS")
        yield Remark(WARN, f"{words} without a lease", "jobs")
    if isinstance(jobs, Jobs) and (failed := jobs.states.get("FAILED", 0)):
        yield Remark(WARN, _plural(failed, "job is FAILED", "jobs are FAILED"), "jobs")
    function = snapshot.panels["function"].value
    if isinstance(troubles, Troubles) and isinstance(function, Function):
        serving = {function.version, *function.shares}
        for entry in troubles.versions:
            if entry.is_broken and entry.version in serving:
                calls = _plural(entry.calls, "call")
                yield Remark(
                    FAIL, f"Version {entry.version} failed {entry.failed:,} of {calls}: make doctor", "troubles"
                )
    if isinstance(troubles, Troubles) and troubles.errors:
        yield Remark(WARN, f"{_plural(troubles.errors, 'error')} in the log of the last hour", "troubles")


def list_figures(snapshot: Snapshot) -> list[Figure]:
    """Return the key figures."""
    value = {name: panel.value for name, panel in snapshot.panels.items()}
    return [
        *_of_queues(value["queues"]),
        _of_jobs(value["jobs"]),
        _of_troubles(value["troubles"]),
        *_of_latency(value["latency"]),
        _of_deploys(value["deploys"], value["function"]),
    ]


def _of_queues(queues: Queues | None) -> Iterator[Figure]:
    if queues is None:
        yield Figure("requests waiting", "", "", "", "queues")
        yield Figure("dead letters", "", "", "", "letters")
        return
    request = queues.queues[0]
    note = f"oldest {format_duration(request.oldest_s)}" if request.oldest_s is not None else "empty"
    if request.depth and request.oldest_s is None:
        note = "age unknown"
    if request.in_flight:
        note = f"{request.in_flight:,} in flight, {note}"
    yield Figure("requests waiting", "" if request.problem else f"{request.visible:,}", note, "", "queues")
    dead = queues.dead_letters
    yield Figure("dead letters", f"{dead:,}", "make dlq" if dead else "none", WARN if dead else "", "letters")


def _of_jobs(jobs: Jobs | None) -> Figure:
    if jobs is None:
        return Figure("jobs FAILED", "", "", "", "jobs")
    failed, more = jobs.states.get("FAILED", 0), "" if jobs.complete else "at least "
    return Figure("jobs FAILED", f"{failed:,}", f"of {more}{jobs.seen:,}", WARN if failed else "", "jobs")


def _of_troubles(troubles: Troubles | None) -> Figure:
    if troubles is None:
        return Figure("errors", "", "", "", "troubles")
    return Figure("errors", f"{troubles.errors:,}", "in the last hour", WARN if troubles.errors else "", "troubles")


def _of_latency(latency: Latency | None) -> Iterator[Figure]:
    for name, value in (
        ("median", None if latency is None else latency.p50),
        ("99th percentile", None if latency is None else latency.p99),
    ):
        note = f"of {latency.count:,} {latency.what}" if latency and latency.count else "no jobs in the last hour"
        yield Figure(name, "" if value is None else format_milliseconds(value), note if latency else "", "", "latency")


def _of_deploys(deploys: Deploys | None, function: Function | None) -> Figure:
    if function is None:
        return Figure("version", "", "", "", "function")
    note = f"{function.alias}, {deploys.entries[0].action}" if deploys and deploys.entries else function.alias
    return Figure("version", function.version, note if function.version else "no deployment", "", "function")
