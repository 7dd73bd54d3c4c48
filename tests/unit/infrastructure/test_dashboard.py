"""The dashboard and alarms of the committed templates, against the worker's metrics and the stage's resources."""

import json
from pathlib import Path
from typing import Any

import pytest

import stages
from handler import metrics

TEMPLATES = Path(__file__).resolve().parents[3] / "infrastructure/templates"
STAGES = stages.list_stages()


def resources(stage: str, kind: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type in a stage's function template."""
    template = json.loads((TEMPLATES / stage / f"{stage}-function.template.json").read_text(encoding="utf-8"))
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def widgets(stage: str) -> list[dict[str, Any]]:
    """Return the widgets of a stage's dashboard."""
    (dashboard,) = resources(stage, "AWS::CloudWatch::Dashboard")
    document: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    return document


def list_series(stage: str) -> list[tuple[str, str, str, str]]:
    """Return namespace, metric and dimension of every series of every graph."""
    return [
        (namespace, metric, dimension, value)
        for widget in widgets(stage)
        for namespace, metric, dimension, value, _ in widget["properties"].get("metrics", [])
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_every_metric_of_the_worker_is_shown(stage: str) -> None:
    """The dashboard shows exactly the metrics that the worker writes."""
    assert {metric for namespace, metric, *_ in list_series(stage) if namespace == metrics.NAMESPACE} == set(
        metrics.UNITS
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_worker_writes_what_its_alarms_watch(stage: str) -> None:
    """Each alarm on the worker's namespace uses a metric that the worker writes."""
    watched = {
        one["MetricName"]
        for one in resources(stage, "AWS::CloudWatch::Alarm")
        if one.get("Namespace") == metrics.NAMESPACE
    }
    assert watched == {"JobsFailed", "Cost"}
    assert watched <= set(metrics.UNITS)


@pytest.mark.parametrize("stage", STAGES)
def test_every_alarm_is_on_the_dashboard(stage: str) -> None:
    """The first widget lists each alarm of the stage."""
    listed = [arn.rpartition(":")[2] for arn in widgets(stage)[0]["properties"]["alarms"]]
    assert listed == [one["AlarmName"] for one in resources(stage, "AWS::CloudWatch::Alarm")]


@pytest.mark.parametrize("stage", STAGES)
def test_the_dashboard_is_of_this_stage(stage: str) -> None:
    """Every series belongs to the stage's own function or to one of its queues."""
    settings = stages.load(stage)
    queues = settings.queues
    own = {
        "FunctionName": {settings.function.name},
        "QueueName": {queues.request, queues.response, queues.request_dead_letters, queues.response_dead_letters},
    }
    assert all(value in own[dimension] for *_, dimension, value in list_series(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_widgets_fill_their_rows(stage: str) -> None:
    """No two widgets overlap, and none exceeds the 24 columns."""
    cells = [
        (column, row)
        for one in widgets(stage)
        for column in range(one["x"], one["x"] + one["width"])
        for row in range(one["y"], one["y"] + one["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24


@pytest.mark.parametrize("stage", STAGES)
def test_every_alarm_has_its_page_in_the_runbook(stage: str) -> None:
    """Each alarm's description links to a heading of docs/how-to/runbook.md."""
    runbook = (TEMPLATES.parents[1] / "docs/how-to/runbook.md").read_text(encoding="utf-8")
    headings = {line.strip("# ").lower().replace(" ", "-") for line in runbook.splitlines() if line.startswith("## ")}
    named = {one["AlarmDescription"].rpartition("#")[2] for one in resources(stage, "AWS::CloudWatch::Alarm")}
    assert named - headings == set()
