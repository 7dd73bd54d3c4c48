"""Lint scorecards: everything that prevents loading, and the slips that a scorecard loads and runs with."""

from plexus.lint.linter import BY_NAME, RULES, LintRule, lint, lint_file

__all__ = ["BY_NAME", "RULES", "LintRule", "lint", "lint_file"]
