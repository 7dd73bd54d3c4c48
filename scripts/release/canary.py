"""A canary: the new version receives a share of the calls for a while, then all of them or none.

It is judged by the function's log, which arrives before metrics do; the name of a log stream has the version. One
invocation that ends in an error or a timeout ends the canary; so do lost jobs, time or costs that are clearly more than
the old version's. Without traffic, both versions score jobs of stored results, if the stage allows that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from statistics import fmean

from ..aws import health, lambda_function
from ..aws.clients import Aws, make
from ..aws.lambda_function import Alias, FunctionVersion
from ..console.errors import Conflict, OperationFailed
from ..console.interrupts import defer_interrupts
from .counts import Counts

PAUSE_S = 2.0
Say = Callable[[str], None]


def watch(
    aws: Aws, version: FunctionVersion, live: Alias, *, percent: float, seconds: float, say: Say
) -> tuple[str, Alias]:
    """Send `percent` of the calls to the new version for `seconds`; return a note for the ledger, and the alias.

    OperationFailed if the new version does worse than the old one, or if it received no call: that is inconclusive.
    The alias then sends every call to the old version again, as after any other exception (Ctrl-C, a lost connection).
    """
    since, moved = int(time.time() * 1000), None
    try:
        with defer_interrupts():
            moved = lambda_function.move_alias(aws, live.version, live, {version.version: percent})
        versions = live.version, version.version
        old, new = _poll_counts(aws, versions, since, seconds, say)
        kind = ""
        if not new.calls and (own := _count_own_calls(aws, versions, say)):
            (old, new), kind = own, ", synthetic"
        back = f"the alias points at version {live.version} alone again"
        if problem := new.find_problem(old):
            raise OperationFailed(
                f"version {version.version} did worse than version {live.version}: {problem}",
                f"{back}; see {make('logs', aws.stage)} FOLLOW=0",
            )
        if not new.calls:
            raise OperationFailed(
                f"canary inconclusive: version {version.version} received none of {old.calls} calls in {seconds:g} s",
                f"{back}; watch longer, or send more: {make('deploy', aws.stage)} CANARY=50 WATCH=900",
            )
    except BaseException:
        if moved:
            with defer_interrupts():
                lambda_function.move_alias(aws, live.version, moved)
        raise
    return f"canary {percent:g} % for {seconds:g} s: {new}{kind}", moved


@contextmanager
def end_share_on_failure(aws: Aws, alias: Alias | None) -> Iterator[None]:
    """Send every call to the alias's own version again if the block fails, unless the alias was moved since.

    Also on Ctrl-C and SIGTERM, which are deferred meanwhile. The exception is raised again. Without shares nothing is
    done.
    """
    try:
        yield
    except BaseException:
        if alias and alias.shares:
            with suppress(Conflict), defer_interrupts():
                lambda_function.move_alias(aws, alias.version, alias)
        raise


def _count_own_calls(aws: Aws, versions: tuple[str, str], say: Say) -> tuple[Counts, Counts] | None:
    """Score stored results' jobs by both versions, if the stage allows it; return the counts, None without a job."""
    if not (limit := aws.stage.release.synthetic_jobs):
        return None
    from . import synthetic  # it imports plexus, which no rollback and no diagnosis may depend on

    return synthetic.count(aws, versions, limit, say)


def _poll_counts(aws: Aws, versions: tuple[str, str], since_ms: int, seconds: float, say: Say) -> tuple[Counts, Counts]:
    """Poll the counts of both versions until the time is over or the new one is worse; return them."""
    end, last = time.monotonic() + seconds, ""
    while True:
        old, new = count(aws, versions, since_ms)
        if str(new) != last:
            say(f"version {versions[1]}: {new}; {max(0.0, end - time.monotonic()):.0f} s left")
            last = str(new)
        if new.find_problem(old) or time.monotonic() >= end:
            return old, new
        time.sleep(min(PAUSE_S, max(0.0, end - time.monotonic())))


def count(aws: Aws, versions: tuple[str, ...], since_ms: int) -> tuple[Counts, ...]:
    """Return each version's counts since a time."""
    result = health.read(aws, since_ms)
    known = [result.get(version, health.Health()) for version in versions]
    return tuple(map(_counts, known))


def _counts(record: health.Health) -> Counts:
    billed_ms = fmean(call.billed_ms for call in record.calls) if record.calls else 0.0
    return Counts(
        len(record.calls),
        len(record.failed),
        len(record.errors),
        billed_ms,
        completed=record.completed,
        cost=record.cost,
    )
