"""`plexus models`: the table of models is listed, and renewed from litellm's table and LangChain's profiles."""

import json
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plexus import prices
from plexus.commands.models import OLD, command, describe_origin
from plexus.models import find_limits

# Two rows and their fields as litellm's table has them, one row for other purposes, and one with a date only.
TABLE = {
    "sample_spec": {"input_cost_per_token": 0, "litellm_provider": "one of the providers", "mode": "chat"},
    "gpt-4o": {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06,
        "input_cost_per_token_batches": 1e-06,
        "output_cost_per_token_batches": 5e-06,
        "max_input_tokens": 128000,
        "max_output_tokens": 16384,
    },
    "gpt-4o-2024-08-06": {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 2e-06,
        "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 1.25e-06,
        "input_cost_per_token_batches": 1e-06,
        "output_cost_per_token_batches": 5e-06,
        "max_input_tokens": 128000,
        "max_output_tokens": 16384,
    },
    "gpt-4o-audio-preview": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06},
    "us.anthropic.claude-opus-9": {
        "litellm_provider": "bedrock_converse",
        "mode": "chat",
        "input_cost_per_token": 3e-06,
        "output_cost_per_token": 1.5e-05,
        "input_cost_per_token_above_200k_tokens": 6e-06,
        "output_cost_per_token_above_200k_tokens": 2.25e-05,
    },
    "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 2e-08},
}


def run(*arguments: str) -> Result:
    """Return the command's result."""
    return CliRunner().invoke(command, arguments)


def renew_table(folder: Path) -> dict[str, dict[str, object]]:
    """Return the rows of a table that is renewed from TABLE."""
    (folder / "litellm.json").write_text(json.dumps(TABLE))
    result = run("--renew", str(folder / "litellm.json"), "--write", str(folder / "models.toml"))
    assert result.exit_code == 0, result.output
    rates, limits = (
        tomllib.loads((folder / name).read_text())["models"] for name in ("models.toml", "model_limits.toml")
    )
    assert rates.keys() == limits.keys()
    rows: dict[str, dict[str, object]] = {name: rates[name] | limits[name] for name in rates}
    return rows


def test_the_image_has_no_limits() -> None:
    """Limits are for `plexus lint` on a host: the table of the image has rates only, and none is lost."""
    known = {key for row in prices.read_rows()[2].values() for key in row}
    assert known.isdisjoint(("window", "max_output", "refuses", "efforts"))
    assert find_limits("openai:gpt-4o-mini").window == 128000


def test_a_renewed_table_has_the_source_s_rates(tmp_path: Path) -> None:
    """Rates are dollars per million tokens as exact text, with those of batches and of long prompts."""
    rows = renew_table(tmp_path)
    gpt = rows["openai:gpt-4o"]
    assert {name: gpt[name] for name in ("input", "output", "cached", "batch_input", "batch_output", "window")} == {
        "input": "2",
        "output": "10",
        "cached": "1.25",
        "batch_input": "1",
        "batch_output": "5",
        "window": 128000,
    }
    opus = rows["bedrock_converse:us.anthropic.claude-opus-9"]
    assert (opus["long_above"], opus["long_input"], opus["long_output"]) == (200_000, "6", "22.5")


def test_a_renewed_table_keeps_what_the_source_lacks(tmp_path: Path) -> None:
    """Models that the source no longer lists keep their rows; models with other prices and repeated dates get none."""
    rows = renew_table(tmp_path)
    assert "openai:gpt-4.1" in rows
    assert rows["ollama:*"]["input"] == "0"
    assert "openai:gpt-4o-audio-preview" not in rows
    assert "openai:gpt-4o-2024-08-06" not in rows
    assert not [name for name in rows if "embedding" in name or "sample" in name]


def test_a_renewed_table_lists_what_langchain_s_profiles_refuse(tmp_path: Path) -> None:
    """gpt-4o does not reason, so it refuses an effort."""
    assert renew_table(tmp_path)["openai:gpt-4o"]["refuses"] == ["reasoning_effort"]


@pytest.mark.parametrize("content", ["[]", "{}", '{"a": {"b": 1}}', "not json"])
def test_another_file_is_no_source(tmp_path: Path, content: str) -> None:
    """A file that is not litellm's table is named, and the table stays as it is."""
    (tmp_path / "other.json").write_text(content)
    result = run("--renew", str(tmp_path / "other.json"), "--write", str(tmp_path / "models.toml"))
    assert "not litellm's table of prices" in str(result.exception)
    assert not (tmp_path / "models.toml").exists()


def test_models_are_listed_by_the_words_of_their_names() -> None:
    """A row has the name, the rates and the window; the table's date and source follow."""
    result = run("openai", "gpt-4o-mini")
    assert result.exit_code == 0
    assert "azure_openai:gpt-4o-mini" in result.stdout
    assert result.stdout.splitlines()[-1].split()[:5] == ["openai:gpt-4o-mini", "0.15", "0.6", "0.075", "128000"]
    assert "as of 20" in result.stderr
    assert run("no such model").stdout == ""


def test_an_old_table_names_the_command_that_renews_it() -> None:
    """After eighteen months the listing says so; before, it has the date and the source."""
    day = date(2026, 1, 31)
    assert describe_origin(day, "here", day + OLD) == "as of 2026-01-31, from here"
    assert "next: plexus models --renew" in describe_origin(day, "here", day + OLD + timedelta(days=1))
