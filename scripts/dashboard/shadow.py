"""The panel of the shadow runs: how the function agrees with stored results, from the reports of `make shadow`."""

from __future__ import annotations

from dataclasses import replace

from ..jobs import shadow_reports
from .connection import ReadOnly
from .hygiene import sanitize
from .values import Shadow

MOST_REPORTS = 5


def read_reports(aws: ReadOnly) -> Shadow:
    """Read the last reports in one call."""
    reports = shadow_reports.read(aws, MOST_REPORTS)
    clean = [
        replace(report, scores=tuple(replace(one, score=sanitize(one.score)) for one in report.scores))
        for report in reports or ()
    ]
    return Shadow(clean, reports is not None)
