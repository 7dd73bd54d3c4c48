"""Count each version's invocations, failures and jobs by the lines that Lambda and the worker write to the log.

The log arrives within seconds, metrics within minutes. A log stream belongs to one execution environment, which runs
one invocation at a time: what its lines report since the last REPORT line belongs to the next one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..console.errors import NotFound
from . import logs
from .clients import Aws
from .logs import Event
from .report import parse_report

STREAM = re.compile(r"\[(?P<version>\d+|\$LATEST)\]")
PATTERN = f'{logs.ENDS_AND_FAILURES} ?JobsCompleted ?JobsDuplicate ?"no result"'
DONE = ("JobsCompleted", "JobsDuplicate")
RETRIED = "retried"
"""The worker's word for the end of an attempt that leaves job and message for another one."""


@dataclass(frozen=True)
class Call:
    """A finished invocation: its end in milliseconds since 1970, why it failed (empty if it returned), and its bill.

    `repeated_init` says whether it repeated an init phase that had taken too long.
    """

    at_ms: int
    failure: str = ""
    billed_ms: int = 0
    repeated_init: bool = False


@dataclass
class Environment:
    """Attributes the lines of one execution environment, in order of time, to its invocations.

    An init phase that failed is repeated by the next invocation, which may succeed: why it failed counts only if the
    invocation's report names a failure, too.
    """

    repeated_init: bool = False
    _failure: str = ""
    _init_failure: str = ""

    def add(self, failure: str, init_failure: str) -> None:
        """Add a line that is no report: its `find_platform_failure` and `find_init_failure`."""
        self._failure = _prefer(self._failure, failure)
        if init_failure:
            self.repeated_init = init_failure == logs.TIMEOUT
            self._init_failure, self._failure = self._failure, ""

    def end(self, failure: str) -> str:
        """Return why the invocation failed whose report names this failure; empty if it did not. Begin the next."""
        result = _prefer(self._failure, (self._init_failure or failure) if failure else "")
        self.repeated_init, self._failure, self._init_failure = False, "", ""
        return result


def _prefer(first: str, second: str) -> str:
    """Return the more specific reason: the lines before an OutOfMemory report only "signal: killed"."""
    return second if "OutOfMemory" in second else first or second


@dataclass(frozen=True)
class Health:
    """A version's finished invocations, oldest first, the worker's lines of level ERROR, and its completed jobs.

    `retries` are its lines about jobs that have no result yet and are tried again. `cost` is what the models of its
    jobs cost, in US dollars, as far as it is known.
    """

    calls: tuple[Call, ...] = ()
    errors: tuple[Event, ...] = ()
    retries: tuple[Event, ...] = ()
    completed: int = 0
    cost: float = 0.0

    @property
    def failed(self) -> tuple[Call, ...]:
        """The invocations that crashed, timed out, or ended in an unhandled exception."""
        return tuple(call for call in self.calls if call.failure)

    @property
    def reason(self) -> str:
        """Why most of the failed invocations failed; empty if none did."""
        reasons = [call.failure for call in self.failed]
        return max(reversed(reasons), key=reasons.count) if reasons else ""


def read(aws: Aws, since_ms: int) -> dict[str, Health]:
    """Return the health of each version that was invoked since a time; empty without a log group.

    Lines whose stream names no version count for the version "".
    """
    try:
        return group_by_version(logs.read(aws, since_ms, PATTERN))
    except NotFound:  # Lambda creates the log group at the first invocation
        return {}


def group_by_version(events: Iterable[Event]) -> dict[str, Health]:
    """Return each version's health by its events, which are in order of time.

    Only order within a stream matters; streams may be interleaved. Streams of one version are added up.
    """
    streams: dict[str, list[Event]] = {}
    for event in events:
        streams.setdefault(event.stream, []).append(event)
    by_name: dict[str, Health] = {}
    for stream, lines in streams.items():
        version = parse_version(stream)
        by_name[version] = _merge(by_name.get(version, Health()), _of_stream(lines))
    return by_name


def combine(healths: dict[str, Health], versions: Collection[str]) -> Health:
    """Return the health of several versions together, and of lines that name none."""
    total = Health()
    for version, entry in healths.items():
        if version in versions or not version:
            total = _merge(total, entry)
    return total


def _merge(first: Health, second: Health) -> Health:
    calls = sorted((*first.calls, *second.calls), key=lambda call: call.at_ms)
    errors = sorted((*first.errors, *second.errors), key=lambda event: event.timestamp)
    retries = sorted((*first.retries, *second.retries), key=lambda event: event.timestamp)
    completed, cost = first.completed + second.completed, first.cost + second.cost
    return Health(tuple(calls), tuple(errors), tuple(retries), completed, cost)


def _of_stream(events: Iterable[Event]) -> Health:
    calls: list[Call] = []
    errors: list[Event] = []
    retries: list[Event] = []
    completed, cost, environment = 0, 0.0, Environment()
    for event in events:
        if (record := logs.parse_json(event.message)) is not None:
            if str(record.get("level", "")).upper() in ("ERROR", "CRITICAL"):
                errors.append(event)
            if record.get("ending") == RETRIED:
                retries.append(event)
            if "_aws" in record:
                completed += sum(int(record.get(name, 0)) for name in DONE)
                cost += float(record.get("Cost", 0.0))
            continue
        failure = logs.find_platform_failure(event.message)
        if not event.message.startswith("REPORT "):
            environment.add(failure, logs.find_init_failure(event.message))
            continue
        report, was_repeated = parse_report(event.message), environment.repeated_init
        billed_ms = report.billed_ms if report else 0
        calls.append(Call(event.timestamp, environment.end(failure), billed_ms, was_repeated))
    return Health(tuple(calls), tuple(errors), tuple(retries), completed, cost)


def parse_version(stream: str) -> str:
    """Return the version of a log stream: 7 for `2026/11/25/[7]0f…`; empty without one."""
    match = STREAM.search(stream)
    return match["version"] if match else ""
