"""Evaluate every metric alarm once a minute, by CloudWatch's rules, metric math included.

LocalStack evaluates an alarm once in all of its periods, and none with metric math. POST to /_local_aws/alarms
publishes all metrics and evaluates at once; it answers with the state of each alarm by its name.
"""

import json
import logging
from datetime import UTC, datetime, timedelta

from localstack.aws.connect import connect_to
from localstack.http import Response
from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler
from localstack.services.edge import ROUTER
from localstack.utils.aws import arns

from local_aws import alarm_rules
from local_aws.extension import metrics

LOG = logging.getLogger(__name__)
PATH = "/_local_aws/alarms"
EVERY_S = 60


def install() -> None:
    """Add the route."""
    ROUTER.add(PATH, _evaluate_all, methods=["POST"])


def schedule(self: AlarmScheduler, alarm_arn: str) -> None:
    """Evaluate an alarm now and every minute. Replaces AlarmScheduler.schedule_metric_alarm."""
    self.delete_scheduler_for_alarm(alarm_arn)
    self.scheduled_alarms[alarm_arn] = self.scheduler.schedule(
        func=evaluate,
        period=EVERY_S,
        args=[alarm_arn],
        on_error=lambda error: LOG.warning("alarm %s is not evaluated: %s", alarm_arn, error),
    )


def evaluate(alarm_arn: str) -> None:
    """Set the state of an alarm by the data of its periods, which end now.

    An alarm that was deleted meanwhile is ignored. The state is set only if it changes, so that its actions run once.
    """
    parsed = arns.parse_arn(alarm_arn)
    client = connect_to(region_name=parsed["region"], aws_access_key_id=parsed["account"]).cloudwatch
    entries = client.describe_alarms(AlarmNames=[alarm_arn.split(":", 6)[6]])["MetricAlarms"]
    if not entries:
        return
    (alarm,) = entries
    periods = alarm["EvaluationPeriods"]
    values = _values(client, alarm, periods + alarm_rules.EXTRA_PERIODS)
    compare = alarm_rules.COMPARISONS[alarm["ComparisonOperator"]]
    breaching = [None if value is None else compare(value, alarm["Threshold"]) for value in values]
    missing, current = alarm.get("TreatMissingData", "missing"), alarm["StateValue"]
    state = alarm_rules.compute_state(breaching, periods, alarm.get("DatapointsToAlarm", periods), missing, current)
    if state != current:
        recent = ", ".join("missing" if value is None else f"{value:g}" for value in values[-periods:])
        reason = f"Threshold Crossed: datapoints [{recent}] against the threshold ({alarm['Threshold']:g})."
        client.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)


def _values(client, alarm, count: int) -> list[float | None]:
    """Return the value of the alarm's metric or expression in each of the last periods, the oldest first."""
    queries = alarm.get("Metrics") or [{"Id": "value", "MetricStat": _of_one_metric(alarm)}]
    plain = [query for query in queries if "MetricStat" in query]
    period = timedelta(seconds=plain[0]["MetricStat"]["Period"])
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)  # CloudWatch's seconds are whole
    start = end - count * period
    data = {query["Id"]: [None] * count for query in plain}
    for query in plain:  # one by one: a call with several that differ in a detail fails
        asked = [{"Id": query["Id"], "MetricStat": query["MetricStat"]}]
        (result,) = client.get_metric_data(MetricDataQueries=asked, StartTime=start, EndTime=end)["MetricDataResults"]
        for when, value in zip(result["Timestamps"], result["Values"], strict=True):
            data[query["Id"]][int((when - start) / period)] = value
    wanted = next(query for query in queries if query.get("ReturnData", True))
    if "Expression" not in wanted:
        return data[wanted["Id"]]
    return [
        alarm_rules.compute_value(wanted["Expression"], {name: points[at] for name, points in data.items()})
        for at in range(count)
    ]


def _of_one_metric(alarm) -> dict:
    metric = {"Namespace": alarm["Namespace"], "MetricName": alarm["MetricName"]}
    metric["Dimensions"] = alarm.get("Dimensions") or []
    return {"Metric": metric, "Period": alarm["Period"], "Stat": alarm["Statistic"]}


def _evaluate_all(request, **kwargs):
    from localstack.services.cloudwatch.models import cloudwatch_stores
    from localstack.services.sqs.provider import CloudwatchPublishWorker

    CloudwatchPublishWorker().publish_approximate_cloudwatch_metrics()
    metrics.GATHERER.publish()
    states, problems = {}, {}
    for _, _, store in cloudwatch_stores.iter_stores():
        for arn, alarm in list(store.alarms.items()):
            if "AlarmRule" in alarm.alarm:
                continue
            try:
                evaluate(arn)
                states[alarm.alarm["AlarmName"]] = alarm.alarm["StateValue"]
            except Exception as error:
                problems[alarm.alarm["AlarmName"]] = f"{type(error).__name__}: {error}"
    answer = {"states": states, "problems": problems}
    return Response(json.dumps(answer), mimetype="application/json")
