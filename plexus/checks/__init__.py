"""Checks of a scorecard beyond its shape; one with an error does not load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from plexus.checks import dependencies, graphs, scores
from plexus.problems import Finding

if TYPE_CHECKING:
    from plexus.configuration.card import AnyScore


def find_problems(value: object, models: Mapping[int, AnyScore]) -> list[Finding]:
    """Return all findings beyond the shape, errors and warnings.

    `value` is the parsed YAML, valid or not; `models` are the scores whose shape is valid, by their index in it.
    """
    return [*dependencies.check(value), *scores.check(models), *graphs.check(models)]
