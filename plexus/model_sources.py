"""Renew the table of models from public sources: litellm's table of prices, and the profiles in LangChain's packages.

litellm's table is a JSON file: the one of an installed litellm, a downloaded file, or an address. The profiles, of
which each `langchain-*` package has its own, list the models that refuse a temperature.
"""

from __future__ import annotations

import importlib
import json
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from plexus import prices
from plexus.exceptions import InvalidData

INSTALLED = "litellm"
#: Named in the table: its rows name the providers' public price lists as their own sources.
SOURCE = "https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json"
_FILE = "model_prices_and_context_window_backup.json"
#: litellm's provider → (ours, the prefix of names, LangChain's package).
_PROVIDERS = {
    "openai": ("openai", "", "langchain_openai"),
    "azure": ("azure_openai", "azure/", "langchain_openai"),
    "anthropic": ("anthropic", "", "langchain_anthropic"),
    "bedrock": ("bedrock_converse", "", "langchain_aws"),
    "bedrock_converse": ("bedrock_converse", "", "langchain_aws"),
    "vertex_ai-language-models": ("google_vertexai", "", "langchain_google_vertexai"),
}
# Their prices depend on more than tokens of text.
_OTHER_PRICES = (
    "audio",
    "realtime",
    "image",
    "search",
    "computer-use",
    "deep-research",
    "container",
    "tts",
    "robotics",
    "router",
)
_RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "reasoning": "output_cost_per_reasoning_token",
    "written": "cache_creation_input_token_cost",
    "written_hour": "cache_creation_input_token_cost_above_1hr",
}
#: Tier → the ends of its keys; flexible processing has the rates of batches.
_TIERS = {"batch": ("_batches", "_flex"), "priority": ("_priority",)}
_THRESHOLDS = (100, 128, 200, 272)  # thousands of tokens
_LIMITS = ("refuses", "efforts", "window", "max_output")
_HEAD = """\
# US dollars per million tokens, and limits, of each model (`provider:name`). A name with a date (-2024-08-06) that has
# no row of its own has the row of the name without it. `refuses` are parameters that fail a request, `efforts` the
# accepted values of `reasoning_effort`, `window` and `max_output` the most input and output tokens. Rates that begin
# with `batch_`, `priority_` or `long_` apply to batches and flexible processing, to prioritized calls, and to calls of
# more than `long_above` input tokens. Limits are in model_limits.toml, which the image does not have.
# Renewed by `plexus models --renew SOURCE`.
"""


def read_source(source: str) -> Mapping[str, Mapping[str, object]]:
    """Read litellm's table: `litellm` for the installed package's, a file, or an https address.

    Raises InvalidData for anything but such a table, and OSError if it cannot be read or 60 s pass without a byte.
    """
    try:
        if source.startswith("https://"):
            with urllib.request.urlopen(source, timeout=60) as response:  # noqa: S310  # only https
                content = json.loads(response.read())
        else:
            path = _find_installed() if source == INSTALLED else Path(source)
            content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidData(f"{source}: not litellm's table of prices: {error}") from None
    if not isinstance(content, dict) or not any(
        isinstance(row, dict) and _RATES["input"] in row for row in content.values()
    ):
        raise InvalidData(f"{source}: not litellm's table of prices: no row has {_RATES['input']!r}")
    return {name: row for name, row in content.items() if isinstance(row, dict)}


def _find_installed() -> Path:
    spec = find_spec(INSTALLED)
    if spec is None or spec.origin is None:
        raise InvalidData("litellm is not installed. next: name a file or an address of its table instead")
    return Path(spec.origin).parent / _FILE


def renew(
    source: Mapping[str, Mapping[str, object]], old: Mapping[str, Mapping[str, object]]
) -> dict[str, dict[str, object]]:
    """Return the rows of a new table: the source's, and old rows of models that it does not have, sorted by name.

    A row that a dated model would get from its undated name is left out. Neither argument is changed.
    """
    rows: dict[str, dict[str, object]] = {name: dict(row) for name, row in old.items()}
    rows |= {name: _convert(row) | _read_profile(row, name) for name, row in _select(source)}
    # A date that changes nothing needs no row.
    return {
        name: row
        for name, row in sorted(rows.items())
        if prices.find_row(name, {key: value for key, value in rows.items() if key != name}) != row
    }


def _select(source: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, Mapping[str, object]]]:
    for name, row in source.items():
        provider, prefix, _ = _PROVIDERS.get(str(row.get("litellm_provider")), ("", "", ""))
        short = name.removeprefix(prefix)
        is_text = row.get("mode") in ("chat", "responses") and not any(word in name for word in _OTHER_PRICES)
        if provider and is_text and "/" not in short and not short.startswith("ft:") and _RATES["input"] in row:
            yield f"{provider}:{short}", row


def _convert(row: Mapping[str, object]) -> dict[str, object]:
    converted = _convert_rates(row, "", "")
    for thousands in _THRESHOLDS:
        suffix = f"_above_{thousands}k_tokens"
        if _RATES["input"] + suffix in row:
            converted["long_above"] = thousands * 1000
            converted |= _convert_rates(row, "long_", suffix)
            break
    limits = {"window": row.get("max_input_tokens"), "max_output": row.get("max_output_tokens")}
    return converted | {name: limit for name, limit in limits.items() if isinstance(limit, int)}


def _convert_rates(row: Mapping[str, object], prefix: str, suffix: str) -> dict[str, object]:
    """Return the rates of the keys with a suffix: the standard ones, and those of each tier that has both."""
    rates: dict[str, object] = {}
    for tier, ends in {"": ("",), **_TIERS}.items():
        for end in ends:
            tier_rates = {
                name: rate for name, key in _RATES.items() if (rate := _format_per_million(row, key + suffix + end))
            }
            # Gemini's "creation" is not a rate of tokens: writing costs at least what plain input costs.
            tier_rates = {
                name: rate
                for name, rate in tier_rates.items()
                if not name.startswith("written") or Decimal(rate) >= Decimal(tier_rates.get("input", "0"))
            }
            if {"input", "output"} <= tier_rates.keys():
                tier_rates |= _stack_discount(rates, tier_rates) if tier == "batch" else {}
                rates |= {
                    f"{prefix}{tier}_{name}" if tier else prefix + name: rate for name, rate in tier_rates.items()
                }
                break
    return rates


def _stack_discount(rates: Mapping[str, object], batch: Mapping[str, str]) -> dict[str, str]:
    """Return the rates of writing to the cache in a batch, if the source has none: the batch's discount applies too."""
    standard = {
        name: Decimal(str(rate)) for name, rate in rates.items() if name in ("input", "written", "written_hour")
    }
    return {
        name: format((rate * Decimal(batch["input"]) / standard["input"]).normalize(), "f")
        for name, rate in standard.items()
        if name not in batch
    }


def _format_per_million(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, (int, float)):
        return ""
    return format((Decimal(str(value)) * 1_000_000).normalize(), "f")


def _read_profile(row: Mapping[str, object], model_id: str) -> dict[str, object]:
    """Return what the profile in LangChain's package adds: refused parameters, and levels of reasoning."""
    provider, _, name = model_id.partition(":")
    package = next(package for name, _, package in _PROVIDERS.values() if name == provider)
    if find_spec(package) is None or find_spec(f"{package}.data") is None:
        return {}
    profile = prices.find_row(name, vars(importlib.import_module(f"{package}.data._profiles"))["_PROFILES"])
    if profile is None:
        return {}
    refuses = ["temperature", "top_p"] if profile.get("temperature") is False else []
    if profile.get("reasoning_output") is False and not row.get("supports_reasoning"):
        refuses.append("reasoning_effort")
    result = {"refuses": refuses, "efforts": profile.get("reasoning_effort_levels")}
    return {key: value for key, value in result.items() if value}


def split(
    rows: Mapping[str, Mapping[str, object]],
) -> tuple[dict[str, dict[str, object]], dict[str, dict[str, object]]]:
    """Return the rates and the limits of each row: the image has the rates only."""
    rates = {name: {key: row[key] for key in row if key not in _LIMITS} for name, row in rows.items()}
    return rates, {name: {key: row[key] for key in row if key in _LIMITS} for name, row in rows.items()}


def format_table(rows: Mapping[str, Mapping[str, object]], source: str, as_of: date) -> str:
    """Return the table as TOML, in the order of `rows`; equal rows give equal bytes."""
    lines = [f"{_HEAD}as_of = {as_of.isoformat()}", f"source = {json.dumps(source)}", "", "[models]"]
    for name, row in rows.items():
        # Without spaces around `=`: the image has this file.
        members = ", ".join(f"{key}={json.dumps(value)}" for key, value in row.items())
        lines.append(f"{json.dumps(name)} = {{{members}}}")
    return "\n".join(lines) + "\n"
