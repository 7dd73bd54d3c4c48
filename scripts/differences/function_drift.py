"""Drift of the function: its alias, settings, role and event source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..aws import event_source, function_role, lambda_function, ledger, resources
from ..aws.clients import Aws
from ..release import configuration, versions
from .difference import Difference, compare, format_value

TRUST, TRUST_PROPERTY = "trust", "AssumeRolePolicyDocument"
PSEUDO = re.compile(r"\$\{AWS::(Partition|Region|AccountId)\}")


def release(aws: Aws) -> Iterator[Difference]:
    """Yield differences between the alias and the ledger's last entry."""
    live, alias = versions.read_live(aws), f"alias {aws.stage.function.alias}"
    if live.facts is None:
        yield Difference(alias, "version", "one that was deployed", "absent")
        return
    if live.is_split:
        assert live.alias is not None
        yield Difference(alias, "shares", "every call to one version", format_value(live.alias.shares))
    if last := ledger.read_last(aws):
        yield from compare(
            alias,
            {"version": last.version, "image": last.digest},
            {"version": live.version, "image": live.digest},
        )


def compare_settings(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the function, the served version and $LATEST from the stage file."""
    live = versions.read_live(aws)
    if live.facts is None:
        return
    name, compared = aws.stage.function.name, configuration.compare(aws, lambda_function.read(aws), live)
    subjects = {"": compared.function, f" version {live.version}": compared.served, " $LATEST": compared.latest}
    for part, entries in subjects.items():
        for entry in entries:
            if entry.name != "role":  # compare_role's
                yield Difference(f"function {name}{part}", entry.name, entry.new, format_value(entry.old))
    subject = f"function {name} version {live.version}"
    yield from compare(subject, {"architecture": "x86_64"}, {"architecture": live.facts.architecture})


def compare_role(aws: Aws) -> Iterator[Difference]:
    """Yield every difference of the function's role: those that a stack update reverts, and what was added to it."""
    yield from compare_role_with_template(aws)
    yield from compare_role_additions(aws)


def compare_role_with_template(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the function's role from the stack's, and of its policies from the template's."""
    name, live = function_role.find_name(aws), versions.read_live(aws)
    if name is None or live.facts is None:
        return
    subject = f"role {name}"
    yield from compare(
        f"function {aws.stage.function.name}", {"role": name}, {"role": live.facts.role.rpartition("/")[2]}
    )
    client, template = aws.client("iam"), _read_role(aws)
    wanted = {policy["PolicyName"]: resolve_policy(aws, policy) for policy in read_policies(aws)}
    try:
        trust = client.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except client.exceptions.NoSuchEntityException:
        yield Difference(subject, "role", "present", "absent")
        return
    # A role that Lambda may not assume fails every call.
    yield from compare(subject, {TRUST: _name_trusted(template[TRUST_PROPERTY])}, {TRUST: _name_trusted(trust)})
    present = {*client.list_role_policies(RoleName=name)["PolicyNames"]}
    for policy in sorted(present - set(wanted)):
        yield Difference(subject, f"policy {policy}", "absent", "present")
    for policy, document in wanted.items():
        yield from _policy(client, name, policy, document)


def compare_role_additions(aws: Aws) -> Iterator[Difference]:
    """Yield attached policies and a permissions boundary, which `make infra-deploy` removes by itself."""
    for addition in function_role.find_additions(aws):
        yield Difference(f"role {addition.role}", addition.setting, "absent", addition.found)


def _name_trusted(document: Any) -> str:
    """Return who may assume a role, as text."""
    parsed = json.loads(document) if isinstance(document, str) else document
    parts = []
    for statement in _statements(parsed).values():
        entry = json.loads(statement)
        condition = " under conditions" if entry.get("Condition") else ""
        parts.append(f"{entry['Effect']} {json.dumps(entry['Principal'], sort_keys=True)}{condition}")
    return "; ".join(sorted(parts))


def _policy(client: Any, role_name: str, policy: str, wanted: dict[str, Any]) -> Iterator[Difference]:
    try:
        response = client.get_role_policy(RoleName=role_name, PolicyName=policy)["PolicyDocument"]
    except client.exceptions.NoSuchEntityException:
        yield Difference(f"role {role_name}", f"policy {policy}", "present", "absent")
        return
    response = json.loads(response) if isinstance(response, str) else response
    expected, got = _statements(wanted), _statements(response)
    for sid in sorted(expected.keys() | got.keys()):
        yield from compare(
            f"role {role_name}", {f"statement {sid}": expected.get(sid)}, {f"statement {sid}": got.get(sid)}
        )


def _statements(document: dict[str, Any]) -> dict[str, str]:
    """Return the statements by Sid, each as JSON."""
    listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return {one.get("Sid", str(n)): json.dumps(one, sort_keys=True) for n, one in enumerate(listed)}


def read_policies(aws: Aws) -> list[dict[str, Any]]:
    """Return the inline policies of the role in the committed template."""
    return list(_read_role(aws).get("Policies", []))


def _read_role(aws: Aws) -> dict[str, Any]:
    """Return the properties of the role in the committed template."""
    for template in resources.read_templates(aws.stage.name):
        for resource in template.document["Resources"].values():
            if resource["Type"] == "AWS::IAM::Role" and template.wants_image:
                return dict(resource["Properties"])
    return {}


def resolve_policy(aws: Aws, policy: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a template's policy, with the stage's region and account filled in."""
    document: dict[str, Any] = _resolve(aws, policy["PolicyDocument"])
    return document


def _resolve(aws: Aws, value: Any) -> Any:
    """Resolve each `Fn::Sub` of partition, region and account in a template's value."""
    if isinstance(value, dict) and set(value) == {"Fn::Sub"}:
        known = {"Partition": "aws", "Region": aws.stage.region, "AccountId": aws.stage.account}
        return PSEUDO.sub(lambda match: known[match[1]], value["Fn::Sub"])
    if isinstance(value, dict):
        return {key: _resolve(aws, one) for key, one in value.items()}
    return [_resolve(aws, one) for one in value] if isinstance(value, list) else value


def compare_event_source(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the event source mapping, which there must be exactly one."""
    function, source = aws.stage.function, aws.stage.event_source
    name = f"{function.name}:{function.alias}"
    subject = f"event source of {name}"
    response = aws.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    if not response:
        yield Difference(subject, "mapping", "present", "absent")
        return
    if len(response) > 1:
        yield Difference(subject, "mappings", "1", str(len(response)))
        return
    mapping = response[0]
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


def compare_consumers(aws: Aws) -> Iterator[Difference]:
    """Yield the filter of the request queue's event source mapping, and the queue's other mappings.

    No stack has either, so that no stack update reverts them: `make infra-deploy` removes them by itself.
    """
    for addition in event_source.find_additions(aws):
        yield Difference(f"queue {aws.stage.queues.request}", addition.setting, "none", addition.found)


def log_group(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the log group's retention in days from the stage file."""
    name, wanted = aws.stage.log_group, aws.stage.retention_days
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    item = next((group for group in groups if group["logGroupName"] == name), None)
    if item is None:
        yield Difference(f"log group {name}", "log group", "present", "absent")
    else:
        yield from compare(f"log group {name}", {"retention": wanted}, {"retention": item.get("retentionInDays")})
