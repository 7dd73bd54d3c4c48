"""The CloudWatch dashboard of a stage: widgets that show plain metrics, without metric math.

Format: CloudWatch's dashboard body structure. A row is 24 columns wide.
"""

import json
from dataclasses import dataclass
from typing import Any

from aws_cdk import Fn
from aws_cdk import aws_cloudwatch as cloudwatch

from infrastructure.stacks import alarms, arns
from infrastructure.stacks.base import StageStack
from stages import Stage

WIDTH, HEIGHT = 8, 6
COLUMNS = 24  # of CloudWatch's grid


@dataclass(frozen=True)
class Series:
    """One line of a graph: a metric of one function or queue."""

    namespace: str
    metric: str
    dimension: tuple[str, str]
    statistic: str
    label: str = ""


@dataclass(frozen=True)
class Graph:
    """A widget; `limit` draws a line at the threshold of an alarm."""

    title: str
    series: tuple[Series, ...]
    unit: str
    limit: float | None = None
    stacked: bool = False


def graphs(settings: Stage) -> list[Graph]:
    """Return all graphs in reading order: jobs, queues, function."""
    return [*_jobs(settings), *_queues(settings), *_function(settings)]


def _jobs(settings: Stage) -> list[Graph]:
    function = ("FunctionName", settings.function.name)
    outcomes = ("Completed", "Duplicate", "Failed", "DeadLettered", "Requeued", "Retried", "Returned")

    def worker(metric: str, statistic: str, label: str = "") -> Series:
        return Series(alarms.WORKER, metric, function, statistic, label)

    return [
        Graph("Jobs by outcome", tuple(worker(f"Jobs{name}", "Sum", name) for name in outcomes), "jobs", stacked=True),
        Graph(
            "Job duration",
            tuple(worker("JobDuration", statistic, statistic) for statistic in ("p50", "p90", "p99")),
            "ms",
        ),
        Graph(
            "Provider",
            (worker("ProviderCalls", "Sum"), worker("InputTokens", "Sum"), worker("OutputTokens", "Sum")),
            "per 5 minutes",
        ),
        Graph("Provider cost", (worker("Cost", "Sum"),), "US dollars per 5 minutes"),
        Graph("Jobs of unknown cost", (worker("UnpricedJobs", "Sum"),), "per 5 minutes"),
        Graph(
            "Message age when received",
            tuple(worker("MessageAge", name, name) for name in ("p50", "p99")),
            "s",
        ),
        Graph("Receive count", (worker("ReceiveCount", "Maximum"), worker("ReceiveCount", "Average")), "times"),
    ]


def _queues(settings: Stage) -> list[Graph]:
    queues = settings.queues

    def depth(queue: str) -> Series:
        return Series("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", queue), "Maximum", queue)

    oldest = Series("AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName", queues.request), "Maximum")
    return [
        Graph("Queue depth", (depth(queues.request), depth(queues.response)), "messages"),
        Graph("Oldest request", (oldest,), "s", limit=settings.alarms.oldest_message_s),
        Graph(
            "Dead letters",
            (depth(queues.request_dead_letters), depth(queues.response_dead_letters)),
            "messages",
            limit=1,
        ),
    ]


def _function(settings: Stage) -> list[Graph]:
    function = ("FunctionName", settings.function.name)

    def lambda_(metric: str, statistic: str, label: str = "") -> Series:
        return Series("AWS/Lambda", metric, function, statistic, label)

    near = settings.function.timeout_s * alarms.MILLISECONDS * alarms.NEAR
    return [
        Graph(
            "Invocations, errors, throttles",
            tuple(lambda_(metric, "Sum") for metric in ("Invocations", "Errors", "Throttles")),
            "per 5 minutes",
        ),
        Graph(
            "Duration",
            tuple(lambda_("Duration", name, name) for name in ("p50", "p99", "Maximum")),
            "ms",
            limit=near,
        ),
        Graph(
            "Concurrency",
            (lambda_("ConcurrentExecutions", "Maximum"), Series(alarms.WORKER, "ColdStarts", function, "Sum")),
            "environments",
            limit=settings.function.reserved_concurrency,
        ),
    ]


def body(settings: Stage) -> dict[str, Any]:
    """Return the dashboard body; CloudFormation substitutes `${AWS::…}` in it."""
    names = [alarms.name(settings, alarm) for alarm in alarms.alarms(settings)]
    state = {
        "type": "alarm",
        **_place(0, 0, COLUMNS, 3),
        "properties": {"title": "Alarms", "alarms": [arns.alarm_text(name) for name in names]},
    }
    per_row = COLUMNS // WIDTH
    widgets = [
        {
            "type": "metric",
            **_place(number % per_row * WIDTH, 3 + number // per_row * HEIGHT),
            "properties": _graph(graph),
        }
        for number, graph in enumerate(graphs(settings))
    ]
    return {"periodOverride": "inherit", "widgets": [state, *widgets]}


def _place(x: int, y: int, width: int = WIDTH, height: int = HEIGHT) -> dict[str, int]:
    return {"x": x, "y": y, "width": width, "height": height}


def _graph(graph: Graph) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "title": graph.title,
        "region": "${AWS::Region}",
        "view": "timeSeries",
        "stacked": graph.stacked,
        "period": alarms.FIVE_MINUTES,
        "metrics": [_metric(series) for series in graph.series],
        "yAxis": {"left": {"min": 0, "label": graph.unit, "showUnits": False}},
    }
    if graph.limit is not None:
        properties["annotations"] = {"horizontal": [{"label": "alarm", "value": graph.limit}]}
    return properties


def _metric(series: Series) -> list[Any]:
    options = {"stat": series.statistic} | ({"label": series.label} if series.label else {})
    return [series.namespace, series.metric, *series.dimension, options]


def name(settings: Stage) -> str:
    """Return the dashboard's name in the account."""
    return f"{settings.function.name}-{settings.name}"


def add(stack: StageStack) -> None:
    """Add the page to the stack."""
    settings = stack.settings
    cloudwatch.CfnDashboard(
        stack,
        "Dashboard",
        dashboard_name=name(settings),
        dashboard_body=Fn.sub(json.dumps(body(settings), ensure_ascii=False, separators=(",", ":"))),
    )
