"""`plexus schema`: the JSON Schema of scorecards, for editors and for the reference."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(name="schema", short_help="Print the JSON Schema of scorecards.")
@click.option(
    "--fill",
    metavar="PAGE.md",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Update the tables of keys in a Markdown page instead, after each `<!-- keys of NAME -->`.",
)
def command(fill: Path | None) -> None:
    """Print the JSON Schema of scorecards."""
    from plexus import schema

    if fill is None:
        click.echo(json.dumps(schema.create_schema(), indent=2, ensure_ascii=False))
        return
    from plexus.whole_file import write_text

    old = fill.read_text(encoding="utf-8")
    new = schema.fill_tables(old)
    if new != old:
        write_text(fill, new)
    click.echo(f"{fill}: {'updated' if new != old else 'up to date'}")
