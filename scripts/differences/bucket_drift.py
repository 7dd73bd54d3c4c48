"""Drift of the bucket: what makes its artifacts unreadable, public or short-lived."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..aws import resources
from ..aws.clients import Aws, read_error_code
from .difference import Difference, compare
from .queue_drift import POLICY, summarize_policy

ABSENT = {"NoSuchBucketPolicy", "NoSuchLifecycleConfiguration", "NoSuchPublicAccessBlockConfiguration"}
EXPIRY, VERSIONS, PUBLIC = "expiry", "versions", "public access"


def compare_bucket(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the existing bucket from its template."""
    from botocore.exceptions import ClientError

    for template in resources.read_templates(aws.stage.name):
        every = template.document["Resources"].values()
        for resource in every:
            if resource["Type"] != "AWS::S3::Bucket":
                continue
            policies = [one["Properties"]["PolicyDocument"] for one in every if one["Type"] == "AWS::S3::BucketPolicy"]
            name = resource["Properties"]["BucketName"]
            try:
                aws.client("s3").head_bucket(Bucket=name)
            except ClientError:
                continue  # a deleted bucket is a stack's difference
            expected = _expect(resource["Properties"], policies[0] if policies else {})
            yield from compare(f"bucket {name}", expected, _read(aws, name))


def _expect(properties: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, str]:
    rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
    return {
        POLICY: summarize_policy(policy),
        EXPIRY: _list_expiries(rules, "ExpirationInDays"),
        VERSIONS: properties.get("VersioningConfiguration", {}).get("Status", "none"),
        PUBLIC: _list_blocks(properties.get("PublicAccessBlockConfiguration", {})),
    }


def _read(aws: Aws, name: str) -> dict[str, str]:
    client = aws.client("s3")
    policy = _ask(lambda: client.get_bucket_policy(Bucket=name)["Policy"])
    rules = _ask(lambda: client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"])
    block = _ask(lambda: client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"])
    return {
        POLICY: summarize_policy(json.loads(policy or "{}")),
        EXPIRY: _list_expiries(rules or [], "Expiration"),
        VERSIONS: client.get_bucket_versioning(Bucket=name).get("Status", "none"),
        PUBLIC: _list_blocks(block or {}),
    }


def _ask(read: Callable[[], Any]) -> Any:
    """Return a configuration of the bucket; None if it has none."""
    from botocore.exceptions import ClientError

    try:
        return read()
    except ClientError as error:
        if read_error_code(error) in ABSENT:
            return None
        raise


def _list_expiries(rules: list[Mapping[str, Any]], key: str) -> str:
    """Return after how many days objects are deleted that nobody replaced or deleted."""
    expiries = [rule[key] for rule in rules if rule["Status"] == "Enabled" and rule.get(key)]
    days = [str(one.get("Days", one.get("Date")) if isinstance(one, dict) else one) for one in expiries]
    return ", ".join(f"{one} days" for one in sorted(days)) or "none"


def _list_blocks(configuration: Mapping[str, bool]) -> str:
    """Return the ways in which public access is blocked."""
    return ", ".join(sorted(name for name, is_on in configuration.items() if is_on)) or "not blocked"
