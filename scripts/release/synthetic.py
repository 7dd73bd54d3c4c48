"""A canary's own calls: jobs of stored results, scored again in the shadow by both versions."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from ..aws.clients import Aws
from ..jobs import results, shadowing
from ..jobs.shadowing import ShadowRun
from .counts import Counts

AT_ONCE = 4
Say = Callable[[str], None]


def count(aws: Aws, versions: tuple[str, str], limit: int, say: Say) -> tuple[Counts, Counts] | None:
    """Score the jobs of the newest results by both versions, and return the counts of each.

    None if the stage has no result of a job. Nothing is stored or sent, but models are asked, which costs money.
    """
    records = shadowing.sample(results.read(aws, limit=limit), 1.0, limit)
    if not records:
        return None
    say(f"no calls: scoring {len(records)} jobs of stored results by versions {versions[0]} and {versions[1]}")
    scored = [record | {"score": record.get("scoreId", "")} for record in records]
    old, new = (_counts(list(shadowing.run(aws, scored, name, AT_ONCE, lambda _: None))) for name in versions)
    return old, new


def _counts(runs: list[ShadowRun]) -> Counts:
    seconds = [run.seconds for run in runs if run.seconds is not None]
    return Counts(
        calls=len(runs),
        failed=sum(run.has_crashed for run in runs),
        jobs=sum(run.seconds is None and not run.has_crashed for run in runs),
        billed_ms=1000 * fmean(seconds) if seconds else 0.0,
        completed=len(seconds),
        cost=float(sum(run.answer.cost or 0 for run in runs)),
    )
