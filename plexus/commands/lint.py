"""`plexus lint`: check scorecards without calling any provider."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from plexus.commands import options
from plexus.problems import Problem, pluralize


def _print_rules(context: click.Context, _: click.Parameter, requested: bool) -> None:
    if not requested or context.resilient_parsing:
        return
    from plexus.lint import RULES

    for rule in RULES:
        click.echo(f"{rule.name:<22} {rule.severity:<8} {rule.statement}")
    context.exit()


@click.command(name="lint", short_help="Check scorecards.")
@click.argument(
    "paths", metavar="CARD.yaml|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True)
)
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.option(
    "--store", type=click.Path(path_type=Path, file_okay=False), help="Also check the artifacts in this folder."
)
@click.option("--fix", "fixes", is_flag=True, help="Correct misspelt names and missing quotes in the files first.")
@click.option("--rules", is_flag=True, is_eager=True, expose_value=False, callback=_print_rules, help="List the rules.")
def command(paths: tuple[Path, ...], form: str, strict: bool, store: Path | None, fixes: bool) -> int:
    """Check scorecards (`-`: standard input) without calling any provider; exit 1 if one of them has an error.

    Of a folder, every scorecard below it is checked.
    """
    from plexus import lint

    cards = options.list_cards(paths)
    for card in cards if fixes else ():
        _fix(card)
    problems = [problem for card in cards for problem in lint.lint_file(card, store)]
    if form == "json":
        click.echo(json.dumps([asdict(problem) for problem in problems], indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(format_github(problem) if form == "github" else f"{problem} [{problem.rule}]")
    errors = sum(problem.severity == "error" for problem in problems)
    counts = {"scorecard": len(cards), "error": errors, "warning": len(problems) - errors}
    click.echo(", ".join(pluralize(number, noun) for noun, number in counts.items()), err=True)
    return 1 if errors or (strict and problems) else 0


def _fix(card: Path) -> None:
    """Correct a file in place, and print each correction on stderr; a file that is not YAML is left to the checks."""
    from plexus.exceptions import InvalidScorecard
    from plexus.lint import fixes
    from plexus.whole_file import write_text

    if str(card) == "-":
        raise click.UsageError("--fix corrects files; standard input is none")
    try:
        old = card.read_bytes().decode()  # not `read_text`, which would change the ends of lines
        new, created = fixes.fix(old, name=str(card), folder=card.parent)
    except (OSError, UnicodeDecodeError, InvalidScorecard):
        return
    if created:
        write_text(card, new)
    for entry in created:
        place = f"{card}:{entry.position.line}:{entry.position.column}"
        click.echo(f"{place}: corrected {entry.old!r} to {entry.new!r}", err=True)


def format_github(problem: Problem) -> str:
    """Return a GitHub workflow command, which annotates the line in a pull request."""
    place = f"file={_property(problem.file)},line={problem.position.line},col={problem.position.column}"
    return f"::{problem.severity} {place},title={problem.rule}::{_data(problem.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
