"""What wakes someone: each alarm says what it means and where the runbook says what to do."""

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch

from infrastructure.stacks.base import StageStack
from stages import Stage

MILLISECONDS = 1000
WORKER = "ScoreProcessor"
"""The namespace of the metrics that the worker writes into its log (handler/metrics.py)."""
FIVE_MINUTES, HOUR = 300, 3600
NEAR = 0.9
"""The share of the function's timeout from which a run counts as nearly timed out."""


@dataclass(frozen=True)
class Watch:
    """One alarm: raised when `statistic` of a metric reaches `threshold` in `periods` periods of `period_s` each."""

    name: str
    meaning: str
    namespace: str
    metric: str
    dimension: tuple[str, str]
    statistic: str
    threshold: float
    periods: int = 1
    period_s: int = FIVE_MINUTES


def watches(settings: Stage) -> list[Watch]:
    """All alarms of a stage."""
    return [*_of_queues(settings), *_of_jobs(settings), *_of_function(settings)]


def _of_queues(settings: Stage) -> list[Watch]:
    requests = ("QueueName", settings.queues.request)
    return [
        Watch(
            "DeadLetters",
            "a job was given up",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            ("QueueName", settings.queues.request_dead_letters),
            "Maximum",
            1,
        ),
        Watch(
            "ResponseDeadLetters",
            "an answer was never taken",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            ("QueueName", settings.queues.response_dead_letters),
            "Maximum",
            1,
        ),
        Watch(
            "OldestRequest",
            "jobs wait too long",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            requests,
            "Maximum",
            settings.alarms.oldest_message_s,
            3,
        ),
    ]


def _of_jobs(settings: Stage) -> list[Watch]:
    function = ("FunctionName", settings.function.name)
    return [
        Watch("FailedJobs", "a job failed for good", WORKER, "JobsFailed", function, "Sum", 1),
        Watch(
            "ProviderCost",
            "the models cost more than planned",
            WORKER,
            "Cost",
            function,
            "Sum",
            settings.alarms.provider_cost_usd_per_hour,
            period_s=HOUR,
        ),
    ]


def _of_function(settings: Stage) -> list[Watch]:
    function = ("FunctionName", settings.function.name)
    near = settings.function.timeout_s * MILLISECONDS * NEAR
    return [
        Watch("Errors", "the function fails as a whole", "AWS/Lambda", "Errors", function, "Sum", 1, 2),
        Watch(
            "Throttles",
            "the function may not run as often as it is asked to",
            "AWS/Lambda",
            "Throttles",
            function,
            "Sum",
            10,
            3,
        ),
        Watch(
            "NearTimeout",
            f"a run took over {NEAR:.0%} of the timeout",
            "AWS/Lambda",
            "Duration",
            function,
            "Maximum",
            near,
        ),
    ]


def add(stack: StageStack) -> None:
    """Add every alarm of the stage to the stack."""
    for watch in watches(stack.settings):
        _add(stack, watch)


def _add(stack: StageStack, watch: Watch) -> None:
    settings = stack.settings
    actions = [settings.alarms.topic] if settings.alarms.topic else None
    cloudwatch.CfnAlarm(
        stack,
        f"{watch.name}Alarm",
        alarm_name=name(settings, watch),
        alarm_description=f"{watch.meaning[0].upper()}{watch.meaning[1:]}: docs/runbook.md#{dashed(watch.name)}",
        namespace=watch.namespace,
        metric_name=watch.metric,
        dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name=watch.dimension[0], value=watch.dimension[1])],
        statistic=watch.statistic,
        period=watch.period_s,
        evaluation_periods=watch.periods,
        threshold=watch.threshold,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=actions,
        ok_actions=actions,
    )


def name(settings: Stage, watch: Watch) -> str:
    """What an alarm is called in the account."""
    return f"{settings.function.name}-{dashed(watch.name)}"


def dashed(name: str) -> str:
    """`DeadLetters` → `dead-letters`: an alarm's name, and its heading in the runbook."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("-")
