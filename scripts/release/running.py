"""A running release, or one that was left half done, read from the lock, the alias and the log: on any machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..aws import ledger, lock
from ..aws.clients import Aws
from ..aws.lock import Holder
from ..console.text import format_duration
from . import canary
from .counts import Counts
from .versions import ServedVersion

HOUR_S = 3600


@dataclass(frozen=True)
class RunningRelease:
    """The holder of the lock, empty if it is free, the seconds since it took it, and each canary's share and counts."""

    who: str
    seconds: float
    shares: dict[str, float]
    counts: dict[str, Counts]

    def __str__(self) -> str:
        head = f"{self.who}, for {format_duration(self.seconds)}" if self.who else "no deploy is running"
        parts = [
            f"version {name} gets {self.shares[name]:g} % of the calls: {self.counts[name]}" for name in self.shares
        ]
        return "; ".join([head, *parts])


def read(aws: Aws, live: ServedVersion) -> RunningRelease | None:
    """Return the release that holds the lock or shares the alias; None if there is none. Reads only.

    Times are the server's. Without a holder, calls are counted over the last hour, since it is not known when the
    share began.
    """
    holder: Holder | None = None
    now = time.time()
    with ledger.ignore_absence():
        holder, now = lock.read(aws)
    shares = dict(live.alias.shares) if live.alias else {}
    if holder is None and not shares:
        return None
    since = holder.since if holder else now - HOUR_S
    counts = canary.count(aws, tuple(shares), int(since * 1000)) if shares else ()
    return RunningRelease(
        holder.who if holder else "",
        max(0.0, now - since) if holder else 0.0,
        shares,
        dict(zip(shares, counts, strict=True)),
    )
