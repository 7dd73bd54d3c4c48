"""Environment variables and metrics of the original worker."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import plexus
from handler import original_metrics, settings
from handler.settings import REQUIRED
from plexus import environment
from tests.memory.world import World, scoring

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/how-to/migration.md").read_text(encoding="utf-8")
#: What the original's infrastructure sets, and what its handler and its clients of models read beside it.
KEPT = {*REQUIRED, "LOG_LEVEL", "SCORECARD_CACHE_DIR", "environment", "OPENAI_API_KEY"}
#: Metrics of the original that count its own tokens of a text, or what a scorecard cost in one process.
NOT_WRITTEN = {"ItemTokens", "ItemTokensByScorecard", "CostPerText"}


def names_in(section: str) -> set[str]:
    """Return the names in the first column of a section's table."""
    body = PAGE.partition(f"### {section}\n")[2].partition("\n##")[0]
    return {name for row in re.findall(r"^\| (`.*?) \|", body, re.M) for name in re.findall(r"`(\w+)`", row)}


def test_the_page_lists_every_variable_of_the_original() -> None:
    """The table of variables has those that are read, renamed and without effect, and no others."""
    assert names_in("Environment variables") == {*KEPT, *environment.RENAMED, *environment.WITHOUT_EFFECT}


def test_the_page_lists_every_metric_of_the_original() -> None:
    """The table of metrics has those that are written, and those that are not."""
    metrics = set(original_metrics.METRICS)
    assert names_in("Metrics") == metrics | {f"{name}ByScorecard" for name in metrics} | NOT_WRITTEN


def test_a_name_that_is_set_already_keeps_its_value() -> None:
    """The original's name fills in for a missing or empty one, and never replaces another."""
    environ = {
        "AZURE_API_KEY": "old",
        "AZURE_OPENAI_API_KEY": "new",
        "AZURE_API_BASE": "x",
        "AZURE_OPENAI_ENDPOINT": "",
    }
    assert environment.adopt(environ) == {"AZURE_API_BASE": "AZURE_OPENAI_ENDPOINT"}
    assert (environ["AZURE_OPENAI_API_KEY"], environ["AZURE_OPENAI_ENDPOINT"]) == ("new", "x")


def lines(world: World, result: plexus.Result, **changed: Any) -> list[dict[str, Any]]:
    """Score a job, and return the lines of the original's metrics."""
    world.send_jobs(world.job())
    world.batch(world.runtime(score=scoring(lambda *_: result), **changed))
    listed = [line for line in world.lines() if "_aws" in line]
    return [line for line in listed if line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Plexus"]


USED = plexus.Result("Yes", cost=Decimal("0.25"), usage=plexus.Usage(2, 30, 10, cached_tokens=8))


def test_a_scored_job_emits_the_metrics_of_the_original(world: World) -> None:
    """One line has the original's names, dimensions and numbers, by score and by scorecard."""
    (line,) = lines(world, USED, original_metrics=True, environment="production")
    score, scorecard = line["_aws"]["CloudWatchMetrics"]
    assert score["Dimensions"] == [["ScoreCardID", "ScoreCardName", "Score", "ScoreID", "Modality", "Environment"]]
    assert scorecard["Dimensions"] == [["ScoreCardName", "Environment"]]
    values = [line[name] for name in score["Dimensions"][0]]
    assert values == ["card-1", "Reviews", "Refund", "score-1", "API", "production"]
    numbers = {"Cost": 0.25, "PromptTokens": 30, "CompletionTokens": 10, "TotalTokens": 40, "CachedTokens": 8}
    numbers["ExternalAIRequests"] = 2
    assert {metric["Name"]: line[metric["Name"]] for metric in score["Metrics"]} == numbers
    by_scorecard = {metric["Name"]: line[metric["Name"]] for metric in scorecard["Metrics"]}
    assert by_scorecard == {f"{name}ByScorecard": number for name, number in numbers.items()}


def test_an_unknown_cost_is_no_metric(world: World) -> None:
    """A job whose calls have no known cost has no Cost, while its tokens are counted."""
    (line,) = lines(world, plexus.Result("Yes", usage=plexus.Usage(1, 5, 1)), original_metrics=True)
    assert line.keys().isdisjoint({"Cost", "CostByScorecard"})
    assert (line["TotalTokens"], line["Environment"]) == (6, "unknown")


def test_the_metrics_of_the_original_are_off_by_default(world: World) -> None:
    """Each score adds 12 metrics to the bill: only PLEXUS_ORIGINAL_METRICS=true writes them."""
    assert lines(world, USED) == []
    loaded = settings.load(dict.fromkeys(REQUIRED, "x") | {"PLEXUS_ORIGINAL_METRICS": "True", "environment": "staging"})
    assert (loaded.original_metrics, loaded.environment) == (True, "staging")


def test_jobs_that_were_not_scored_emit_none(world: World) -> None:
    """A duplicate and a job without a text count in no metric of the original."""
    world.send_jobs(world.job(2, text=" "), world.job(3, status="COMPLETED"))
    assert len(lines(world, USED, original_metrics=True)) == 1
