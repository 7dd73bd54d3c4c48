"""Looks for drift at the function: what the alias serves, its settings, its role, its event source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from . import _ledger, _release, _stacks, configure, infra
from ._aws import Aws
from ._difference import Difference, compare, text

PSEUDO = re.compile(r"\$\{AWS::(Partition|Region|AccountId)\}")


def release(aws: Aws) -> Iterator[Difference]:
    """The alias names what the ledger's last entry says, for every call."""
    live, alias = _release.read_live(aws), f"alias {aws.stage.function.alias}"
    if live.facts is None:
        yield Difference(alias, "version", "one that was deployed", "absent")
        return
    if live.is_split:
        assert live.alias is not None
        yield Difference(alias, "shares", "every call to one version", text(live.alias.shares))
    last = next((e for e in _ledger.entries(aws, 20) or [] if e.action != "canary-back"), None)
    if last:
        yield from compare(
            alias,
            {"version": last.version, "image": last.digest},
            {"version": live.version, "image": live.digest},
        )


def settings(aws: Aws) -> Iterator[Difference]:
    """Memory, timeout, /tmp and environment of the version that is served, as the stage file says."""
    live = _release.read_live(aws)
    if live.facts is None:
        return
    subject = f"function {aws.stage.function.name} version {live.version}"
    for one in configure.differences(live.facts, aws.stage, {}):
        yield Difference(subject, one.name, one.new, text(one.old))
    yield from compare(subject, {"architecture": "x86_64"}, {"architecture": live.facts.architecture})


def role(aws: Aws) -> Iterator[Difference]:
    """The function has the stack's role, and the role the template's policies and no others."""
    resources = _resources(aws)
    name = next((r["PhysicalResourceId"] for r in resources if r["ResourceType"] == "AWS::IAM::Role"), None)
    live = _release.read_live(aws)
    if name is None or live.facts is None:
        return
    subject = f"role {name}"
    yield from compare(
        f"function {aws.stage.function.name}", {"role": name}, {"role": live.facts.role.rpartition("/")[2]}
    )
    wanted = {policy["PolicyName"]: resolved_policy(aws, policy) for policy in policies(aws)}
    client = aws.client("iam")
    for policy in sorted({*client.list_role_policies(RoleName=name)["PolicyNames"]} - set(wanted)):
        yield Difference(subject, f"policy {policy}", "absent", "present")
    for attached in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        yield Difference(subject, f"policy {attached['PolicyName']}", "absent", "attached")
    for policy, document in wanted.items():
        yield from _policy(client, name, policy, document)


def _policy(client: Any, role_name: str, policy: str, wanted: dict[str, Any]) -> Iterator[Difference]:
    try:
        found = client.get_role_policy(RoleName=role_name, PolicyName=policy)["PolicyDocument"]
    except client.exceptions.NoSuchEntityException:
        yield Difference(f"role {role_name}", f"policy {policy}", "present", "absent")
        return
    found = json.loads(found) if isinstance(found, str) else found
    expected, got = _statements(wanted), _statements(found)
    for sid in sorted(expected.keys() | got.keys()):
        yield from compare(
            f"role {role_name}", {f"statement {sid}": expected.get(sid)}, {f"statement {sid}": got.get(sid)}
        )


def _statements(document: dict[str, Any]) -> dict[str, str]:
    """Statements by their Sid, each as one text."""
    listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return {one.get("Sid", str(n)): json.dumps(one, sort_keys=True) for n, one in enumerate(listed)}


def policies(aws: Aws) -> list[dict[str, Any]]:
    """The inline policies of the role in the committed template."""
    for template in infra.templates(aws.stage.name):
        for resource in template.document["Resources"].values():
            if resource["Type"] == "AWS::IAM::Role" and template.wants_image:
                return list(resource["Properties"]["Policies"])
    return []


def resolved_policy(aws: Aws, policy: dict[str, Any]) -> dict[str, Any]:
    """The document of a template's policy, with the stage's region and account."""
    document: dict[str, Any] = _resolved(aws, policy["PolicyDocument"])
    return document


def _resolved(aws: Aws, value: Any) -> Any:
    """A template's value with `Fn::Sub` of nothing but partition, region and account filled in."""
    if isinstance(value, dict) and set(value) == {"Fn::Sub"}:
        known = {"Partition": "aws", "Region": aws.stage.region, "AccountId": aws.stage.account}
        return PSEUDO.sub(lambda match: known[match[1]], value["Fn::Sub"])
    if isinstance(value, dict):
        return {key: _resolved(aws, one) for key, one in value.items()}
    return [_resolved(aws, one) for one in value] if isinstance(value, list) else value


def _resources(aws: Aws) -> list[dict[str, Any]]:
    """The resources of the function's stack; none where it is not there."""
    client = aws.client("cloudformation")
    for template in infra.templates(aws.stage.name):
        if template.wants_image and _stacks.describe(client, template.stack):
            return list(client.describe_stack_resources(StackName=template.stack)["StackResources"])
    return []


def event_source(aws: Aws) -> Iterator[Difference]:
    """One mapping from the request queue to the alias, with the stage's figures."""
    function, source = aws.stage.function, aws.stage.event_source
    name = f"{function.name}:{function.alias}"
    subject = f"event source of {name}"
    found = aws.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    if len(found) != 1:
        yield Difference(subject, "mappings", "1", str(len(found)))
        return
    mapping = found[0]
    expected = {
        "enabled": source.enabled,
        "queue": aws.stage.queues.request,
        "batch size": source.batch_size,
        "batching window": source.maximum_batching_window_s,
        "maximum concurrency": source.maximum_concurrency,
        "response types": ["ReportBatchItemFailures"],
    }
    yield from compare(
        subject,
        expected,
        {
            "enabled": mapping["State"] in ("Enabled", "Enabling", "Creating", "Updating"),
            "queue": mapping["EventSourceArn"].rpartition(":")[2],
            "batch size": mapping["BatchSize"],
            "batching window": mapping.get("MaximumBatchingWindowInSeconds", 0),
            "maximum concurrency": (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency"),
            "response types": mapping.get("FunctionResponseTypes", []),
        },
    )
