"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass, field

OK, WARN, FAIL, SKIP = "ok", "warn", "fail", "skip"


@dataclass(frozen=True)
class Finding:
    """`verdict` is ok, warn (works, but needs attention), fail (jobs suffer) or skip; `remedy` is the next step.

    After a finding that `is_blocking` the checks of the same subject are skipped: they would report it again. One that
    `is_aftermath` was caused by what was repaired before, or by another finding: it comes after others of its verdict.
    """

    name: str
    verdict: str
    detail: str
    remedy: str = ""
    is_blocking: bool = field(default=False, repr=False)
    is_aftermath: bool = field(default=False, repr=False)
