"""The JSON Schema of scorecards, and the tables of keys in docs/reference/scorecards.md that are generated from it.

A page has a comment `<!-- keys of NAME -->` above each table; `fill_tables` renews the table below it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

HEAD = "| key | type | default | meaning |\n|---|---|---|---|"
_PLACE = re.compile(r"(<!-- keys of (\w+)(?: without (\w+(?:, \w+)*))? -->\n)(?:\|.*\n|None of its own\.\n)*")
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a map",
}

#: A JSON Schema, or a part of one.
JsonSchema = Mapping[str, Any]


def create_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of scorecards."""
    from plexus.configuration.card import Card

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plexus scorecard",
        **Card.model_json_schema(by_alias=True),
    }


def create_model_schemas() -> dict[str, JsonSchema]:
    """Return the schema of every configuration model by its name, shared base models included."""
    from plexus.configuration import common, graph

    card = create_schema()
    shared = (common.Score, common.ModelSettings, graph.Node, graph.PromptNode)
    return {
        **card["$defs"],
        **{model.__name__: model.model_json_schema(by_alias=True) for model in shared},
        "Card": card,
    }


def fill_tables(page: str) -> str:
    """Return the page with every table of keys renewed. Raises KeyError for a model that does not exist."""
    known = create_model_schemas()
    return _PLACE.sub(lambda match: match[1] + render_table(known, match[2], match[3]), page)


def find_tables(page: str) -> set[str]:
    """Return the names of the models whose tables a page has."""
    return {match[1] for match in _PLACE.findall(page)}


def render_table(known: Mapping[str, JsonSchema], name: str, without: str | None = None) -> str:
    """Render one model's keys as a Markdown table, `class` left out.

    `without` lists models, separated by `, `, whose keys are left out too because they have a table of their own.
    """
    omitted = {"class", *(key for model in (without or "").split(", ") if model for key in known[model]["properties"])}
    rows = [row for key, row in _list_rows(known[name]) if key not in omitted]
    return "\n".join([HEAD, *rows]) + "\n" if rows else "None of its own.\n"


def _list_rows(model: JsonSchema) -> Iterator[tuple[str, str]]:
    required = model.get("required", [])
    for key, schema in model["properties"].items():
        default = "required" if key in required else _format_default(schema.get("default"))
        meaning = str(schema.get("description", "")).replace("\n", " ").replace("|", "\\|")
        yield key, f"| `{key}` | {_describe_type(schema)} | {default} | {meaning} |"


def _format_default(value: object) -> str:
    return "–" if value in (None, [], {}) else f"`{json.dumps(value, ensure_ascii=False)}`".replace('"', "")


def _describe_type(schema: JsonSchema) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return f"a {schema['$ref'].rpartition('/')[2]}"
    if "anyOf" in schema or "oneOf" in schema:
        parts = [part for part in schema.get("anyOf", schema.get("oneOf")) if part.get("type") != "null"]
        kinds = list(dict.fromkeys(_describe_type(part) for part in parts))
        return " or ".join(kinds) if len(kinds) < 4 else "one of the classes below"
    if schema.get("type") == "array":
        return f"a list: {_describe_type(schema.get('items', {}))}"
    return _WORDS.get(str(schema.get("type")), "any value") + _describe_limits(schema)


def _describe_limits(schema: JsonSchema) -> str:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least is not None and most is not None:
        return f" from {least:g} to {most:g}"
    if least is not None:
        return f" of at least {least:g}" if "minimum" in schema else f" above {least:g}"
    return ""
