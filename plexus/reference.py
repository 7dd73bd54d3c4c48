"""The tables of docs/scorecards.md: every key of every model, from the JSON Schema that validates.

A page holds `<!-- keys of NAME -->` before each table; `filled` puts the table of that model after it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

HEAD = "| key | what it holds | default | meaning |\n|---|---|---|---|"
_PLACE = re.compile(r"(<!-- keys of (\w+)(?: without (\w+(?:, \w+)*))? -->\n)(?:\|.*\n|None of its own\.\n)*")
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a map",
}


def schema() -> dict[str, Any]:
    """The JSON Schema of scorecards."""
    from plexus.configuration.card import Card

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plexus scorecard",
        **Card.model_json_schema(by_alias=True),
    }


def models() -> dict[str, Any]:
    """Every model's schema by its name; those that others are made of too."""
    from plexus.configuration import common, graph

    whole = schema()
    shared = (common.Score, common.ModelSettings, graph.Node, graph.Asking)
    return {
        **whole["$defs"],
        **{each.__name__: each.model_json_schema(by_alias=True) for each in shared},
        "Card": whole,
    }


def filled(page: str) -> str:
    """The page with every table as the models say. Raises KeyError for a model that there is not."""
    known = models()
    return _PLACE.sub(lambda found: found[1] + table(known, found[2], found[3]), page)


def named(page: str) -> set[str]:
    """The models whose tables a page has."""
    return {found[1] for found in _PLACE.findall(page)}


def table(known: Mapping[str, Any], name: str, without: str | None = None) -> str:
    """One model's keys in a Markdown table, but `class`; `without` names models whose keys stand elsewhere."""
    left_out = {"class", *(key for each in (without or "").split(", ") if each for key in known[each]["properties"])}
    rows = [row for key, row in _rows(known[name]) if key not in left_out]
    return "\n".join([HEAD, *rows]) + "\n" if rows else "None of its own.\n"


def _rows(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    required = model.get("required", [])
    for key, found in model["properties"].items():
        default = "required" if key in required else _default(found.get("default"))
        meaning = str(found.get("description", "")).replace("\n", " ").replace("|", "\\|")
        yield key, f"| `{key}` | {_kind(found)} | {default} | {meaning} |"


def _default(value: Any) -> str:
    return "–" if value in (None, [], {}) else f"`{json.dumps(value, ensure_ascii=False)}`".replace('"', "")


def _kind(found: Mapping[str, Any]) -> str:
    if "const" in found:
        return f"`{found['const']}`"
    if "enum" in found:
        return "one of " + ", ".join(f"`{each}`" for each in found["enum"])
    if "$ref" in found:
        return f"a {found['$ref'].rpartition('/')[2]}"
    if "anyOf" in found or "oneOf" in found:
        parts = [each for each in found.get("anyOf", found.get("oneOf")) if each.get("type") != "null"]
        kinds = list(dict.fromkeys(_kind(each) for each in parts))
        return " or ".join(kinds) if len(kinds) < 4 else "one of the classes below"
    if found.get("type") == "array":
        return f"a list: {_kind(found.get('items', {}))}"
    return _WORDS.get(str(found.get("type")), "any value") + _limits(found)


def _limits(found: Mapping[str, Any]) -> str:
    least = found.get("minimum", found.get("exclusiveMinimum"))
    most = found.get("maximum", found.get("exclusiveMaximum"))
    if least is not None and most is not None:
        return f" from {least:g} to {most:g}"
    if least is not None:
        return f" of at least {least:g}" if "minimum" in found else f" above {least:g}"
    return ""
