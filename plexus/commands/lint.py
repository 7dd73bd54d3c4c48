"""`plexus lint`: everything that can be said about a scorecard before it is used."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from plexus.problems import Problem


def _rules(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from plexus.checks.rules import RULES

    for rule in RULES:
        click.echo(f"{rule.name:<22} {rule.severity:<8} {rule.says}")
    context.exit()


@click.command(name="lint", short_help="Check scorecards without asking any model.")
@click.argument("cards", metavar="CARD.yaml...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option(
    "--store", type=click.Path(path_type=Path, file_okay=False), help="Look for artifacts in this folder as well."
)
@click.option("--rules", is_flag=True, is_eager=True, expose_value=False, callback=_rules, help="List the rules.")
def command(cards: tuple[Path, ...], form: str, strict: bool, store: Path | None) -> int:
    """Check scorecards without asking any model; exit 1 when one of them has an error."""
    from plexus import lint

    found = [problem for card in cards for problem in lint.lint_file(card, store)]
    if form == "json":
        click.echo(json.dumps([asdict(problem) for problem in found], indent=2, ensure_ascii=False))
    else:
        for problem in found:
            click.echo(github(problem) if form == "github" else f"{problem} [{problem.rule}]")
    errors = sum(problem.severity == "error" for problem in found)
    click.echo(f"{len(cards)} scorecard(s), {errors} error(s), {len(found) - errors} warning(s)", err=True)
    return 1 if errors or (strict and found) else 0


def github(problem: Problem) -> str:
    """A workflow command that marks the line in a pull request."""
    place = f"file={_property(problem.file)},line={problem.position.line},col={problem.position.column}"
    return f"::{problem.severity} {place},title={problem.rule}::{_data(problem.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
