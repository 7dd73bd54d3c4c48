"""`plexus schema`: the JSON Schema of scorecards, for editors."""

from __future__ import annotations

import json

import click


@click.command(name="schema")
def command() -> None:
    """Print the JSON Schema of scorecards."""
    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


def schema() -> dict[str, object]:
    """The schema, from the same models that validate."""
    from plexus.configuration.card import Card

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plexus scorecard",
        **Card.model_json_schema(by_alias=True),
    }
