"""`plexus run`: score one text or a file of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from plexus.commands import options


@click.command(name="run")
@options.card
@click.argument("text", required=False)
@options.score
@options.store
@options.asking
@options.as_json
def command(card: Path, text: str | None, names: tuple[str, ...], store: Path, as_json: bool, **asking: Any) -> int:
    """Score TEXT (or standard input) and print each score's value; exit 1 when one of them failed."""
    import plexus
    from plexus.exceptions import NotApplicable

    text = text if text is not None else sys.stdin.read()
    scorecard = plexus.load_file(card)
    context = options.context(store, **asking)
    outcomes = plexus.score_all(scorecard, [plexus.Item(text)], names=names, context=context)
    shown = {name: outcome for name, (outcome,) in outcomes.items()}
    if as_json:
        click.echo(
            json.dumps({name: as_dict(outcome) for name, outcome in shown.items()}, indent=2, ensure_ascii=False)
        )
    else:
        for name, outcome in shown.items():
            click.echo(line(name, outcome))
    failed = [each for each in shown.values() if isinstance(each, plexus.PlexusError)]
    return 1 if any(not isinstance(each, NotApplicable) for each in failed) else 0


def as_dict(outcome: Any) -> dict[str, Any]:
    """A result, or the kind and message of the error in its place."""
    if isinstance(outcome, Exception):
        return {"error": type(outcome).__name__, "message": str(outcome)}
    made: dict[str, Any] = outcome.as_dict()
    return made


def line(name: str, outcome: Any) -> str:
    """One line for people."""
    if isinstance(outcome, Exception):
        return f"{name}: {type(outcome).__name__}: {outcome}"
    confidence = "" if outcome.confidence is None else f" ({outcome.confidence:.0%})"
    explanation = " ".join((outcome.explanation or "").split())
    return f"{name}: {outcome.value}{confidence}" + (f" – {explanation}" if explanation else "")
