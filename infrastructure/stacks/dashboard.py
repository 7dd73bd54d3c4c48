"""The stage at a glance, in CloudWatch: a page of widgets as JSON, each naming its metrics and nothing to compute.

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
COLUMNS = 24


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
    """A widget; `limit` draws a line where an alarm is raised."""

    title: str
    series: tuple[Series, ...]
    unit: str
    limit: float | None = None
    stacked: bool = False


def graphs(settings: Stage) -> list[Graph]:
    """Every graph, in reading order: what came of the jobs, what waits, how the function does."""
    return [*_jobs(settings), *_queues(settings), *_function(settings)]


def _jobs(settings: Stage) -> list[Graph]:
    function = ("FunctionName", settings.function.name)
    fates = ("Completed", "Duplicate", "Failed", "DeadLettered", "Requeued", "Retried", "Returned")

    def worker(metric: str, statistic: str, label: str = "") -> Series:
        return Series(alarms.WORKER, metric, function, statistic, label)

    return [
        Graph("Jobs by fate", tuple(worker(f"Jobs{fate}", "Sum", fate) for fate in fates), "jobs", stacked=True),
        Graph("A job's duration", tuple(worker("JobDuration", one, one) for one in ("p50", "p90", "p99")), "ms"),
        Graph(
            "Provider",
            (worker("ProviderCalls", "Sum"), worker("InputTokens", "Sum"), worker("OutputTokens", "Sum")),
            "per 5 minutes",
        ),
        Graph("Provider cost", (worker("Cost", "Sum"),), "US dollars per 5 minutes"),
        Graph("Age of a message when taken", tuple(worker("MessageAge", one, one) for one in ("p50", "p99")), "s"),
        Graph("Receives of a message", (worker("ReceiveCount", "Maximum"), worker("ReceiveCount", "Average")), "times"),
    ]


def _queues(settings: Stage) -> list[Graph]:
    queues = settings.queues

    def depth(queue: str) -> Series:
        return Series("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", queue), "Maximum", queue)

    oldest = Series("AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName", queues.request), "Maximum")
    return [
        Graph("Waiting", (depth(queues.request), depth(queues.response)), "messages"),
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
            tuple(lambda_(one, "Sum") for one in ("Invocations", "Errors", "Throttles")),
            "per 5 minutes",
        ),
        Graph("Duration", tuple(lambda_("Duration", one, one) for one in ("p50", "p99", "Maximum")), "ms", limit=near),
        Graph(
            "At once",
            (lambda_("ConcurrentExecutions", "Maximum"), Series(alarms.WORKER, "ColdStarts", function, "Sum")),
            "environments",
            limit=settings.function.reserved_concurrency,
        ),
    ]


def body(settings: Stage) -> dict[str, Any]:
    """The page; `${AWS::…}` in it is CloudFormation's."""
    names = [alarms.name(settings, watch) for watch in alarms.watches(settings)]
    state = {
        "type": "alarm",
        **_place(0, 0, COLUMNS, 3),
        "properties": {"title": "Alarms", "alarms": [arns.alarm_text(one) for one in names]},
    }
    per_row = COLUMNS // WIDTH
    widgets = [
        {
            "type": "metric",
            **_place(number % per_row * WIDTH, 3 + number // per_row * HEIGHT),
            "properties": _graph(one),
        }
        for number, one in enumerate(graphs(settings))
    ]
    return {"periodOverride": "inherit", "widgets": [state, *widgets]}


def _place(x: int, y: int, width: int = WIDTH, height: int = HEIGHT) -> dict[str, int]:
    return {"x": x, "y": y, "width": width, "height": height}


def _graph(graph: Graph) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "title": graph.title,
        "region": "${AWS::Region}",
        "view": "timeSeries",
        "stacked": graph.stacked,
        "period": alarms.FIVE_MINUTES,
        "metrics": [_metric(series) for series in graph.series],
        "yAxis": {"left": {"min": 0, "label": graph.unit, "showUnits": False}},
    }
    if graph.limit is not None:
        shown["annotations"] = {"horizontal": [{"label": "alarm", "value": graph.limit}]}
    return shown


def _metric(series: Series) -> list[Any]:
    options = {"stat": series.statistic} | ({"label": series.label} if series.label else {})
    return [series.namespace, series.metric, *series.dimension, options]


def name(settings: Stage) -> str:
    """What the page is called in the account."""
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
