"""The cost estimate."""

from dataclasses import replace
from pathlib import Path

import pytest

import stages
from handler import metrics
from infrastructure.cost import estimate
from infrastructure.cost.page import page
from tests.unit.infrastructure.test_dashboard import resources

ROOT = Path(__file__).resolve().parents[3]
PRICES, USAGE = estimate.read(estimate.PRICES), estimate.read(estimate.USAGE)
SETTINGS = stages.load("production")


def usd(jobs: int, kind: str = "light") -> dict[tuple[str, str], float]:
    """Return the estimate in US dollars by service and item."""
    lines = estimate.estimate(SETTINGS, jobs, kind, PRICES, USAGE)
    return {(line.service, line.what): line.usd for line in lines}


def test_the_page_is_what_the_command_makes() -> None:
    """docs/reference/cost.md is what `make cost-estimate` writes for the current settings."""
    assert (ROOT / "docs/reference/cost.md").read_text(encoding="utf-8") == page([SETTINGS], PRICES, USAGE)


def test_compute_is_memory_by_time() -> None:
    """A million light jobs in batches of ten are 100,000 invocations of 0.25 s with 2 GB."""
    assert usd(1_000_000)["Lambda", "compute"] == pytest.approx(100_000 * 0.25 * 2 * 0.0000166667)


def test_a_transaction_is_paid_twice() -> None:
    """A job takes 15 write units: claim 1, commit 2 × (2 + 1 + 1), two indexes of 2 and one of 1, outbox 1."""
    assert usd(1_000_000)["DynamoDB", "writes"] == pytest.approx(15 * 0.625)


def test_ten_times_the_jobs_cost_ten_times_but_for_what_stands() -> None:
    """Every line is proportional to the jobs, except those that are billed without any."""
    entry, ten = usd(1_000_000), usd(10_000_000)
    standing = {key for key in entry if entry[key] == ten[key]}
    assert standing == {("CloudWatch", "metrics, alarms, dashboard"), ("ECR", "20 images")}
    assert all(ten[key] == pytest.approx(10 * entry[key]) for key in entry.keys() - standing)


@pytest.mark.parametrize(("jobs", "traces"), [(1_000_000, 100_000), (100_000_000, 2_592_000 + 7_408_000 / 20)])
def test_a_traced_stage_pays_by_the_trace(jobs: int, traces: float) -> None:
    """One trace per second and one in twenty of the rest, at five dollars per million; nothing with tracing off."""
    traced = replace(SETTINGS, function=replace(SETTINGS.function, tracing=True))
    lines = estimate.estimate(traced, jobs, "light", PRICES, USAGE)
    (line,) = [line for line in lines if line.service == "X-Ray"]
    assert line.amount == traces
    assert line.usd == pytest.approx(traces * 5 / 1e6)
    assert ("X-Ray", "traces recorded") not in usd(jobs)


def test_what_watches_is_counted() -> None:
    """The estimate includes the actual numbers of metrics, and of those that alarms watch, each of which is billed."""
    assert len(metrics.UNITS) == estimate.METRICS
    alarms = resources("production", "AWS::CloudWatch::Alarm")
    watched = [
        query for alarm in alarms for query in alarm.get("Metrics", [{"MetricStat": {}}]) if "MetricStat" in query
    ]
    assert len(watched) == estimate.ALARMS


def test_the_models_are_priced_by_the_engines_table() -> None:
    """The provider's cost is calls × tokens × the price of the model in the usage table."""
    asked = USAGE["provider"]
    assert asked["model"] == "openai:gpt-4o-mini"
    per_job = asked["calls"] * (asked["input_tokens"] * 0.15 + asked["output_tokens"] * 0.60) / 1e6
    assert estimate.provider(1000, USAGE) == pytest.approx(1000 * per_job)
