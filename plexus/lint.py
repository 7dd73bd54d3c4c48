"""What keeps a scorecard from loading, found before any provider is asked."""

from __future__ import annotations

from pathlib import Path

from plexus import checks, document, scorecard
from plexus.exceptions import InvalidScorecard
from plexus.problems import Position, Problem


def lint(text: str, *, name: str = "scorecard.yaml") -> list[Problem]:
    """Every problem, in the order of the file; empty when there is none."""
    try:
        parsed = document.parse(text, name)
    except InvalidScorecard as error:
        return list(error.problems)
    _, scores, findings = scorecard.read(parsed)
    findings += checks.errors(parsed.value, scores)
    return scorecard.problems(parsed, findings)


def lint_file(path: Path) -> list[Problem]:
    """The problems of a file; one that cannot be read is a problem too."""
    try:
        return lint(path.read_text(encoding="utf-8"), name=str(path))
    except OSError as error:
        return [Problem(str(path), Position(1, 1), f"cannot read the scorecard: {error.strerror}")]
    except UnicodeDecodeError:
        return [Problem(str(path), Position(1, 1), "cannot read the scorecard: not UTF-8 text")]
