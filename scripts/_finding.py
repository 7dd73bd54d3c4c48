"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass

OK, LOOK, BAD, SKIPPED = "ok", "look", "bad", "skipped"


@dataclass(frozen=True)
class Finding:
    """`verdict` is ok, look (works, and is worth a look), bad (jobs suffer) or skipped; `remedy` is what to do."""

    name: str
    verdict: str
    detail: str
    remedy: str = ""
