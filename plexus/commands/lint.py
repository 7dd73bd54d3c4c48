"""`plexus lint`: everything that can be said about a scorecard before it is used."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from plexus.problems import Problem


@click.command(name="lint")
@click.argument("cards", metavar="CARD.yaml...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
def command(cards: tuple[Path, ...], form: str) -> int:
    """Check scorecards; exit 1 when one of them has an error."""
    from plexus import lint

    found = [problem for card in cards for problem in lint.lint_file(card)]
    if form == "json":
        click.echo(json.dumps([asdict(problem) for problem in found], indent=2, ensure_ascii=False))
    else:
        for problem in found:
            click.echo(github(problem) if form == "github" else str(problem))
    errors = sum(problem.severity == "error" for problem in found)
    click.echo(f"{len(cards)} scorecard(s), {errors} error(s), {len(found) - errors} warning(s)", err=True)
    return 1 if errors else 0


def github(problem: Problem) -> str:
    """A workflow command that marks the line in a pull request."""
    message = problem.message.replace("%", "%25").replace("\n", "%0A")
    place = f"file={problem.file},line={problem.position.line},col={problem.position.column}"
    return f"::{problem.severity} {place},title={problem.rule}::{message}"
