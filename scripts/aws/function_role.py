"""The function's role, and what people add to it by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import resources, stacks
from .clients import Aws

BOUNDARY = "permissions boundary"


@dataclass(frozen=True)
class Addition:
    """What no stack has: a managed policy that is attached to the role, or a permissions boundary."""

    role: str
    setting: str
    found: str
    arn: str


def find_name(aws: Aws) -> str | None:
    """Return the name of the role in the function's stack; None if there is no such stack."""
    client = aws.client("cloudformation")
    for template in resources.read_templates(aws.stage.name):
        if template.wants_image and stacks.describe(client, template.stack):
            entries = client.describe_stack_resources(StackName=template.stack)["StackResources"]
            return next((one["PhysicalResourceId"] for one in entries if one["ResourceType"] == "AWS::IAM::Role"), None)
    return None


def find_additions(aws: Aws) -> list[Addition]:
    """Return what was added to the role by hand; nothing if there is no role. Reads only."""
    client, name = aws.client("iam"), find_name(aws)
    if name is None:
        return []
    try:
        boundary = client.get_role(RoleName=name)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    except client.exceptions.NoSuchEntityException:
        return []
    attached = client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    additions = [Addition(name, f"policy {one['PolicyName']}", "attached", one["PolicyArn"]) for one in attached]
    return [*additions, *([Addition(name, BOUNDARY, boundary, boundary)] if boundary else [])]


def remove_additions(aws: Aws, additions: Iterable[Addition]) -> None:
    """Remove what was added by hand, at once and without a confirmation.

    No stack update does it: CloudFormation compares the properties that a template names, and it names neither.
    """
    client = aws.client("iam")
    for addition in additions:
        if addition.setting == BOUNDARY:
            client.delete_role_permissions_boundary(RoleName=addition.role)
        else:
            client.detach_role_policy(RoleName=addition.role, PolicyArn=addition.arn)
