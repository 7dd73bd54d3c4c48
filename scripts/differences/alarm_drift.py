"""Drift of the alarms: one that is switched off, or raised too late, notifies nobody."""

from __future__ import annotations

from collections.abc import Iterator

from ..aws import resources
from ..aws.clients import Aws
from .difference import Difference, compare

SETTINGS = ("ActionsEnabled", "Threshold", "EvaluationPeriods", "Period", "Statistic")


def compare_alarms(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the existing alarms from the templates; those that were deleted are a stack's difference."""
    wanted = {
        resource["Properties"]["AlarmName"]: resource["Properties"]
        for template in resources.read_templates(aws.stage.name)
        for resource in template.document["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    answer = aws.client("cloudwatch").describe_alarms(AlarmNames=sorted(wanted))
    for alarm in answer["MetricAlarms"]:
        expected = {name: wanted[alarm["AlarmName"]][name] for name in SETTINGS if name in wanted[alarm["AlarmName"]]}
        yield from compare(f"alarm {alarm['AlarmName']}", expected, alarm)
