"""What is wrong with a scorecard, found before any provider is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plexus import checks, document, scorecard
from plexus.exceptions import InvalidScorecard
from plexus.problems import Position, Problem


def lint(
    text: str, *, name: str = "scorecard.yaml", folder: Path | None = None, store: Path | None = None
) -> list[Problem]:
    """Every problem, in the order of the file; empty when there is none.

    With `folder`, where the scorecard lies, the files that it names are looked for; with `store`, the artifacts.
    """
    try:
        parsed = document.parse(text, name)
    except InvalidScorecard as error:
        return [replace(problem, rule="yaml") for problem in error.problems]
    _, scores, findings = scorecard.read(parsed)
    findings += checks.findings(parsed.value, scores)
    if folder is not None:
        from plexus.checks import files

        findings += files.check(scores, folder, store)
    return scorecard.problems(parsed, findings)


def lint_file(path: Path, store: Path | None = None) -> list[Problem]:
    """The problems of a file; one that cannot be read is a problem too."""
    try:
        return lint(path.read_text(encoding="utf-8"), name=str(path), folder=path.parent, store=store)
    except OSError as error:
        return [Problem(str(path), Position(1, 1), f"cannot read the scorecard: {error.strerror}", rule="yaml")]
    except UnicodeDecodeError:
        return [Problem(str(path), Position(1, 1), "cannot read the scorecard: not UTF-8 text", rule="yaml")]
