"""The alarms of a stage. Each description says what happened, and links to the section of the runbook.

They notify the stack's own SNS topic, or the one that the stage file names.
"""

from dataclasses import dataclass

from aws_cdk import Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from infrastructure.stacks.base import StageStack
from stages import Stage

MILLISECONDS = 1000
WORKER = "ScoreProcessor"
"""The namespace of the metrics that the worker writes to its log (handler/metrics.py)."""
FIVE_MINUTES, QUARTER, HOUR = 300, 900, 3600
NEAR = 0.9
"""The fraction of the function's timeout above which an invocation counts as nearly timed out."""


@dataclass(frozen=True)
class Alarm:
    """One alarm, raised if `statistic` of a metric reaches `threshold` within a period.

    With `total`, another metric of the same dimension, the threshold is the percentage of its sum.
    """

    name: str
    meaning: str
    namespace: str
    metric: str
    dimension: tuple[str, str]
    statistic: str
    threshold: float
    period_s: int = FIVE_MINUTES
    total: str = ""


def alarms(settings: Stage) -> list[Alarm]:
    """Return all alarms of a stage."""
    return [*_of_queues(settings), *_of_jobs(settings), *_of_function(settings)]


def _of_queues(settings: Stage) -> list[Alarm]:
    requests = ("QueueName", settings.queues.request)
    return [
        Alarm(
            "DeadLetters",
            "messages are in the dead-letter queue",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            ("QueueName", settings.queues.request_dead_letters),
            "Maximum",
            1,
        ),
        Alarm(
            "ResponseDeadLetters",
            "a response was never consumed",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            ("QueueName", settings.queues.response_dead_letters),
            "Maximum",
            1,
        ),
        Alarm(
            "OldestRequest",
            "jobs are waiting too long",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            requests,
            "Maximum",
            settings.alarms.oldest_message_s,
        ),
    ]


def _of_jobs(settings: Stage) -> list[Alarm]:
    function = ("FunctionName", settings.function.name)
    return [
        Alarm("FailedJobs", "a job failed permanently", WORKER, "JobsFailed", function, "Sum", 1),
        Alarm(
            "ProviderCost",
            "the provider cost is over its limit",
            WORKER,
            "Cost",
            function,
            "Sum",
            settings.alarms.provider_cost_usd_per_hour,
            period_s=HOUR,
        ),
    ]


def _of_function(settings: Stage) -> list[Alarm]:
    function = ("FunctionName", settings.function.name)
    near = settings.function.timeout_s * MILLISECONDS * NEAR
    return [
        # One period: a crash is repeated after the visibility timeout only, so that on a quiet queue no two periods in
        # a row have a failure. A share: on a busy queue one failure among thousands, which SQS retries, wakes nobody.
        Alarm(
            "Errors",
            f"at least {settings.alarms.failed_percent} % of the invocations fail",
            "AWS/Lambda",
            "Errors",
            function,
            "Sum",
            settings.alarms.failed_percent,
            total="Invocations",
        ),
        Alarm(
            "Throttles",
            "invocations are throttled",
            "AWS/Lambda",
            "Throttles",
            function,
            "Sum",
            10,
            period_s=QUARTER,
        ),
        Alarm(
            "NearTimeout",
            f"an invocation took over {NEAR:.0%} of the timeout",
            "AWS/Lambda",
            "Duration",
            function,
            "Maximum",
            near,
        ),
    ]


def add(stack: StageStack) -> None:
    """Add the topic and every alarm of the stage to the stack."""
    account: dict[str, object] = {"StringEquals": {"aws:SourceAccount": Fn.ref("AWS::AccountId")}}
    topic = stack.settings.alarms.topic
    if not topic:
        topic = add_topic(stack, "AlarmTopic", topic_name(stack.settings), "cloudwatch.amazonaws.com", account).ref
    for alarm in alarms(stack.settings):
        _add(stack, alarm, topic)


def add_topic(
    stack: StageStack, logical_id: str, name: str, service: str, conditions: dict[str, object] | None = None
) -> sns.CfnTopic:
    """Add a topic to which `service` may publish, with the stage file's subscriber, and only over TLS.

    It is not encrypted with SNS's own key: its policy keeps CloudWatch from publishing, and no message has a text.
    """
    notify = stack.settings.alarms.notify
    protocol = "https" if notify.startswith("https:") else "email"
    subscriber = sns.CfnTopic.SubscriptionProperty(endpoint=notify, protocol=protocol)
    topic = sns.CfnTopic(stack, logical_id, topic_name=name, subscription=[subscriber] if notify else None)
    plain: dict[str, object] = {"Bool": {"aws:SecureTransport": "false"}}
    statements = [
        _publish("PublishFromService", iam.ServicePrincipal(service), topic, conditions),
        _publish("DenyPlainConnections", iam.AnyPrincipal(), topic, plain, iam.Effect.DENY),
    ]
    document = iam.PolicyDocument(statements=statements)
    sns.CfnTopicPolicy(stack, f"{logical_id}Policy", topics=[topic.ref], policy_document=document)
    return topic


def _publish(
    sid: str,
    principal: iam.IPrincipal,
    topic: sns.CfnTopic,
    conditions: dict[str, object] | None,
    effect: iam.Effect = iam.Effect.ALLOW,
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        effect=effect,
        principals=[principal],
        actions=["sns:Publish"],
        resources=[topic.ref],
        conditions=conditions,
    )


def _add(stack: StageStack, alarm: Alarm, topic: str) -> None:
    settings = stack.settings
    description = f"{alarm.meaning[0].upper()}{alarm.meaning[1:]}: docs/how-to/runbook.md#{hyphenate(alarm.name)}"
    resource = cloudwatch.CfnAlarm(
        stack,
        f"{alarm.name}Alarm",
        alarm_name=name(settings, alarm),
        alarm_description=description,
        evaluation_periods=1,
        threshold=alarm.threshold,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
        actions_enabled=True,  # the default, named so that alarms switched off by hand are drift
        alarm_actions=[topic],
        ok_actions=[topic],
    )
    if alarm.total:
        percentage = cloudwatch.CfnAlarm.MetricDataQueryProperty(
            id="percentage", expression="100 * part / total", label=alarm.meaning, return_data=True
        )
        resource.metrics = [_query("part", alarm.metric, alarm), _query("total", alarm.total, alarm), percentage]
        return
    resource.namespace, resource.metric_name, resource.dimensions = alarm.namespace, alarm.metric, [_dimension(alarm)]
    resource.statistic, resource.period = alarm.statistic, alarm.period_s


def _query(identity: str, metric: str, alarm: Alarm) -> cloudwatch.CfnAlarm.MetricDataQueryProperty:
    return cloudwatch.CfnAlarm.MetricDataQueryProperty(
        id=identity,
        return_data=False,
        metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
            metric=cloudwatch.CfnAlarm.MetricProperty(
                namespace=alarm.namespace, metric_name=metric, dimensions=[_dimension(alarm)]
            ),
            period=alarm.period_s,
            stat=alarm.statistic,
        ),
    )


def _dimension(alarm: Alarm) -> cloudwatch.CfnAlarm.DimensionProperty:
    return cloudwatch.CfnAlarm.DimensionProperty(name=alarm.dimension[0], value=alarm.dimension[1])


def topic_name(settings: Stage) -> str:
    """Return the name of the topic that the alarms notify."""
    return f"{settings.function.name}-alarms"


def name(settings: Stage, alarm: Alarm) -> str:
    """Return the name of an alarm in the account."""
    return f"{settings.function.name}-{hyphenate(alarm.name)}"


def hyphenate(name: str) -> str:
    """Convert `DeadLetters` to `dead-letters`, as in an alarm's name and its heading in the runbook."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("-")
