"""What a scorecard must satisfy beyond its shape: without an error it loads."""

from __future__ import annotations

from typing import Any

from plexus.checks import dependencies, graphs, scores, values
from plexus.problems import Finding


def findings(value: Any, models: dict[int, Any]) -> list[Finding]:
    """Findings beyond the shape, errors and warnings; `models` are the scores whose shape is valid, by index."""
    return [*dependencies.check(value), *values.check(models), *scores.check(models), *graphs.check(models)]
