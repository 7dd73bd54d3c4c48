"""Drift of the alarms: one that is switched off, raised too late or sent nowhere notifies nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..aws import resources
from ..aws.clients import Aws
from .difference import Difference, compare
from .queue_drift import POLICY, summarize_policy

SETTINGS = (
    "ActionsEnabled",
    "ComparisonOperator",
    "EvaluationPeriods",
    "MetricName",
    "Namespace",
    "Period",
    "Statistic",
    "Threshold",
    "TreatMissingData",
)
ACTIONS = ("AlarmActions", "OKActions")


def compare_alarms(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the existing alarms from the templates; those that were deleted are a stack's difference."""
    wanted = {}
    for template in resources.read_templates(aws.stage.name):
        for resource in template.document["Resources"].values():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                wanted[resource["Properties"]["AlarmName"]] = _expect(template.document, resource["Properties"])
    answer = aws.client("cloudwatch").describe_alarms(AlarmNames=sorted(wanted))
    for alarm in answer["MetricAlarms"]:
        actual: dict[str, Any] = dict(alarm)
        actual |= {name: _list_topics({}, actual.get(name, [])) for name in ACTIONS}
        yield from compare(f"alarm {alarm['AlarmName']}", wanted[alarm["AlarmName"]], actual)


def _expect(document: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    expected = {name: properties[name] for name in SETTINGS if name in properties}
    return expected | {name: _list_topics(document, properties.get(name, [])) for name in ACTIONS}


def _list_topics(document: Mapping[str, Any], actions: list[Any]) -> str:
    """Return the names of the topics that are notified."""
    names = []
    for action in actions:
        if isinstance(action, str):
            names.append(action.rpartition(":")[2])
        else:
            names.append(document["Resources"][action["Ref"]]["Properties"]["TopicName"])
    return ", ".join(sorted(names)) or "none"


def compare_topics(aws: Aws) -> Iterator[Difference]:
    """Yield the topics whose policy is not the template's, so that alarms may not publish there."""
    client = aws.client("sns")
    for template in resources.read_templates(aws.stage.name):
        document = template.document["Resources"]
        for resource in document.values():
            if resource["Type"] != "AWS::SNS::TopicPolicy":
                continue
            for topic in resource["Properties"]["Topics"]:
                name = document[topic["Ref"]]["Properties"]["TopicName"]
                arn = f"arn:aws:sns:{aws.stage.region}:{aws.stage.account}:{name}"
                try:
                    attributes = client.get_topic_attributes(TopicArn=arn)["Attributes"]
                except client.exceptions.NotFoundException:
                    continue
                expected = summarize_policy(resource["Properties"]["PolicyDocument"])
                actual = summarize_policy(json.loads(attributes.get("Policy") or "{}"))
                yield from compare(f"topic {name}", {POLICY: expected}, {POLICY: actual})
