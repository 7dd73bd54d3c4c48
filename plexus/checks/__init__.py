"""What a scorecard must satisfy beyond its shape: without errors it loads."""

from __future__ import annotations

from typing import Any

from plexus.checks import dependencies, graphs, scores
from plexus.problems import Finding


def errors(value: Any, models: dict[int, Any]) -> list[Finding]:
    """Findings that make a scorecard unusable; `models` are the scores whose shape is valid, by index."""
    return [*dependencies.check(value), *scores.check(models), *graphs.check(models)]
