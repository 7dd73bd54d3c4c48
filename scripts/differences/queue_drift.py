"""Drift of the queues and of the repository."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..aws import resources
from ..aws.clients import Aws
from ..console.errors import NotFound
from .difference import Difference, compare, format_value

MANAGED = "SQS's own key"
POLICY = "policy"


def compare_queues(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the stage's queues from the templates."""
    for template in resources.read_templates(aws.stage.name):
        policies = {
            reference["Ref"]: resource["Properties"]["PolicyDocument"]
            for resource in template.document["Resources"].values()
            if resource["Type"] == "AWS::SQS::QueuePolicy"
            for reference in resource["Properties"]["Queues"]
        }
        for name, resource in template.document["Resources"].items():
            if resource["Type"] == "AWS::SQS::Queue":
                yield from _queue(aws, template.document, resource["Properties"], policies.get(name, {}))


def _queue(
    aws: Aws, document: Mapping[str, Any], wanted: Mapping[str, Any], policy: Mapping[str, Any]
) -> Iterator[Difference]:
    name = wanted["QueueName"]
    try:
        url = aws.queue_url(name)
    except NotFound:
        yield Difference(f"queue {name}", "queue", "present", "absent")
        return
    result = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive, allowed = (json.loads(result.get(key, "{}")) for key in ("RedrivePolicy", "RedriveAllowPolicy"))
    target = wanted.get("RedrivePolicy", {}).get("deadLetterTargetArn", {}).get("Fn::GetAtt", [None])[0]
    expected = {
        "retention": str(wanted["MessageRetentionPeriod"]),
        "delay": str(wanted["DelaySeconds"]),
        "dead-letter queue": target and document["Resources"][target]["Properties"]["QueueName"],
        "receives": wanted.get("RedrivePolicy", {}).get("maxReceiveCount"),
        "sources": wanted.get("RedriveAllowPolicy", {}).get("redrivePermission"),
        "encryption": aws.stage.encryption_key or MANAGED,
        POLICY: summarize_policy(policy),
    }
    if "VisibilityTimeout" in wanted:
        expected["visibility timeout"] = str(wanted["VisibilityTimeout"])
    count, is_managed = redrive.get("maxReceiveCount"), result.get("SqsManagedSseEnabled") == "true"
    actual = {
        "visibility timeout": result.get("VisibilityTimeout"),
        "retention": result.get("MessageRetentionPeriod"),
        "delay": result.get("DelaySeconds", "0"),
        "dead-letter queue": redrive.get("deadLetterTargetArn", "").rpartition(":")[2] or None,
        "receives": int(count) if count is not None else None,
        "sources": allowed.get("redrivePermission"),
        "encryption": result.get("KmsMasterKeyId") or (MANAGED if is_managed else None),
        POLICY: summarize_policy(json.loads(result.get("Policy") or "{}")),
    }
    subject = f"queue {name}"
    for setting, value in expected.items():
        if actual[setting] != value:
            yield Difference(subject, setting, format_value(value), format_value(actual[setting]))


def summarize_policy(policy: Mapping[str, Any]) -> str:
    """Return what a resource's policy allows and denies. AWS returns neither the order nor the form of the template."""
    listed = policy.get("Statement", [])
    parts = []
    for statement in listed if isinstance(listed, list) else [listed]:
        actions = statement.get("Action", [])
        names = sorted(name.lower() for name in ([actions] if isinstance(actions, str) else actions))
        condition = " under conditions" if statement.get("Condition") else ""
        parts.append(f"{statement['Effect']} {', '.join(names)}{condition}")
    return "; ".join(sorted(parts)) or "none"


def compare_repository(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the repository from its template: its tags, its policy, and which images expire."""
    client, name = aws.client("ecr"), aws.stage.repository
    try:
        response = client.describe_repositories(repositoryNames=[name])["repositories"][0]
    except client.exceptions.RepositoryNotFoundException:
        yield Difference(f"repository {name}", "repository", "present", "absent")
        return
    try:
        policy = client.get_repository_policy(repositoryName=name)["policyText"]
    except client.exceptions.RepositoryPolicyNotFoundException:
        policy = "{}"
    try:
        expiry = client.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    except client.exceptions.LifecyclePolicyNotFoundException:
        expiry = "{}"
    actual = {
        "tags": response.get("imageTagMutability"),
        POLICY: summarize_policy(json.loads(policy)),
        "expiry": _list_rules(expiry),
    }
    for template in resources.read_templates(aws.stage.name):
        for resource in template.document["Resources"].values():
            if resource["Type"] == "AWS::ECR::Repository":
                wanted = resource["Properties"]
                text = wanted["LifecyclePolicy"]["LifecyclePolicyText"]
                expected = {
                    "tags": wanted["ImageTagMutability"],
                    POLICY: summarize_policy(wanted["RepositoryPolicyText"]),
                }
                yield from compare(f"repository {name}", expected | {"expiry": _list_rules(text)}, actual)


def _list_rules(policy: str) -> str:
    """Return what a lifecycle policy expires, rule by rule."""
    rules = json.loads(policy).get("rules", [])
    chosen = [rule["selection"] for rule in sorted(rules, key=lambda rule: int(rule["rulePriority"]))]
    return ", ".join(f"{one['tagStatus']} {one['countType']} {one['countNumber']}" for one in chosen) or "none"
