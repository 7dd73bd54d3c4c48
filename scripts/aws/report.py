"""Lambda's REPORT line at the end of an invocation's log, parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass

GB_SECOND_USD = 0.0000166667  # x86_64, us-west-2, first price tier
REQUEST_USD = 0.0000002  # 0.20 USD for a million


@dataclass(frozen=True)
class Report:
    """One invocation's report: times in milliseconds, memory in MB. `init_ms` is None if the environment was warm."""

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    peak_memory_mb: int
    init_ms: float | None = None
    status: str = ""

    @property
    def usd_per_million(self) -> float:
        """The cost of a million such invocations in US dollars."""
        return 1e6 * (self.billed_ms / 1000 * self.memory_mb / 1024 * GB_SECOND_USD + REQUEST_USD)

    @property
    def advice(self) -> str:
        """A recommendation for the memory setting; empty if it fits."""
        share = self.peak_memory_mb / self.memory_mb
        if share > 0.9:
            return f"memory is short: {self.peak_memory_mb} of {self.memory_mb} MB used; raise memory_mb"
        if share < 0.3 and self.memory_mb > 512:
            return f"{self.peak_memory_mb} of {self.memory_mb} MB used; less memory costs less, and gets less CPU"
        return ""


_FIELDS = re.compile(r"(Init Duration|Billed Duration|Duration|Max Memory Used|Memory Size|Status): ([\w.]+)")
_REQUEST = re.compile(r"^REPORT RequestId: (\S+)", re.MULTILINE)


def parse_report(log: str) -> Report | None:
    """Parse the last REPORT line of a log; None if there is none, or it is incomplete."""
    starts = list(_REQUEST.finditer(log))
    if not starts:
        return None
    line = log[starts[-1].start() :].splitlines()[0]
    values = dict(_FIELDS.findall(line))
    try:
        return Report(
            request_id=starts[-1].group(1),
            duration_ms=float(values["Duration"]),
            billed_ms=int(float(values["Billed Duration"])),
            memory_mb=int(values["Memory Size"]),
            peak_memory_mb=int(values["Max Memory Used"]),
            init_ms=float(values["Init Duration"]) if "Init Duration" in values else None,
            status=values.get("Status", ""),
        )
    except (KeyError, ValueError):
        return None
