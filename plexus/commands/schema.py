"""`plexus schema`: the JSON Schema of scorecards, for editors, and the tables of the reference."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(name="schema")
@click.option(
    "--fill",
    metavar="PAGE.md",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Instead: renew the tables of keys in a Markdown page, after each `<!-- keys of NAME -->`.",
)
def command(fill: Path | None) -> None:
    """Print the JSON Schema of scorecards."""
    from plexus import reference

    if fill is None:
        click.echo(json.dumps(reference.schema(), indent=2, ensure_ascii=False))
        return
    from plexus.commands.train import write_whole

    old = fill.read_text(encoding="utf-8")
    new = reference.filled(old)
    if new != old:
        write_whole(fill, new)
    click.echo(f"{fill}: {'renewed' if new != old else 'nothing to renew'}")
