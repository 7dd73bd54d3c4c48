"""Write the files of a CloudFormation import, which adopts resources that an installation already has.

A stack cannot create a queue that exists; an import makes it part of the stack without changing it. An import may
name nothing but adopted resources, so each file is a part of the stage's template; `infra deploy` adds the rest.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from .clients import Aws, read_error_code

PHYSICAL_NAME = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
}
"""The importable types, and the property with the resource's name."""
ABSENT = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "RepositoryNotFoundException",
    "ResourceNotFoundException",
    "404",
    "NoSuchBucket",
}


@dataclass(frozen=True)
class Adoption:
    """The resources that one stack can adopt: a part of its template, and CloudFormation's ResourcesToImport."""

    stack: str
    template: dict[str, Any]
    resources: tuple[dict[str, Any], ...]

    def names(self) -> list[str]:
        """Return `type name` of each resource."""
        return [f"{one['ResourceType']} {next(iter(one['ResourceIdentifier'].values()))}" for one in self.resources]


def find_identifier(aws: Aws, kind: str, name: str) -> str | None:
    """Return CloudFormation's identifier of an existing resource (a queue's URL, else its name); None if absent."""
    lookups: dict[str, Callable[[], Any]] = {
        "AWS::DynamoDB::Table": lambda: aws.client("dynamodb").describe_table(TableName=name),
        "AWS::ECR::Repository": lambda: aws.client("ecr").describe_repositories(repositoryNames=[name]),
        "AWS::Lambda::Function": lambda: aws.client("lambda").get_function_configuration(FunctionName=name),
        "AWS::Logs::LogGroup": lambda: _log_group(aws, name),
        "AWS::S3::Bucket": lambda: aws.client("s3").head_bucket(Bucket=name),
        "AWS::SQS::Queue": lambda: aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"],
    }
    from botocore.exceptions import ClientError

    try:
        answer = lookups[kind]()
    except ClientError as error:
        if read_error_code(error) in ABSENT:
            return None
        raise
    return str(answer) if kind == "AWS::SQS::Queue" else name if answer else None


def _log_group(aws: Aws, name: str) -> bool:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def plan_adoption(
    stack: str, template: Mapping[str, Any], identify: Callable[[str, str], str | None], role_arn: str | None
) -> Adoption | None:
    """Return the resources of a template that exist outside of its stack; None if there are none.

    `identify(type, name)` returns an existing resource's identifier, or None. `role_arn` is the function's current
    role, which the imported function keeps: the stack's own role does not exist before the first deploy.
    """
    adopted: dict[str, Any] = {}
    wanted: list[dict[str, Any]] = []
    for logical_id, resource in template["Resources"].items():
        key = PHYSICAL_NAME.get(resource["Type"])
        name = resource["Properties"].get(key) if key else None
        identifier = identify(resource["Type"], name) if isinstance(name, str) else None
        if identifier is None or key is None:
            continue
        copied = copy.deepcopy(resource) | {"DeletionPolicy": "Retain"}
        copied.pop("DependsOn", None)
        if resource["Type"] == "AWS::Lambda::Function" and role_arn:
            copied["Properties"]["Role"] = role_arn
        adopted[logical_id] = copied
        identified_by = "QueueUrl" if key == "QueueName" else key
        wanted.append(
            {
                "ResourceType": resource["Type"],
                "LogicalResourceId": logical_id,
                "ResourceIdentifier": {identified_by: identifier},
            }
        )
    if not wanted:
        return None
    _close_references(adopted, template["Resources"])
    part = {"Resources": adopted} | {key: template[key] for key in ("Parameters",) if key in template}
    return Adoption(stack, part, tuple(wanted))


def _close_references(adopted: dict[str, Any], all_resources: Mapping[str, Any]) -> None:
    """Remove properties that refer to a resource that is not adopted; the first deploy adds them."""
    missing = set(all_resources) - set(adopted)
    for resource in adopted.values():
        kept = {key: value for key, value in resource["Properties"].items() if not _refers(value, missing)}
        resource["Properties"] = kept


def _refers(value: Any, names: Iterable[str]) -> bool:
    if isinstance(value, dict):
        target = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
        return target in names or any(_refers(one, names) for one in value.values())
    return isinstance(value, list) and any(_refers(one, names) for one in value)


def write(adoptions: Iterable[Adoption], folder: Path, stage: str) -> list[str]:
    """Write each stack's two files; return the commands to create, inspect and execute its change set.

    Files of the same names are overwritten. `IMAGE` is left for the reader to replace in the commands of the
    function's stack.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for adoption in adoptions:
        template, resources = folder / f"{adoption.stack}.template.json", folder / f"{adoption.stack}.resources.json"
        template.write_text(json.dumps(adoption.template, indent=2) + "\n", encoding="utf-8")
        resources.write_text(json.dumps(adoption.resources, indent=2) + "\n", encoding="utf-8")
        change = f"--stack-name {adoption.stack} --change-set-name take-over-{stage}"
        image = " --parameters ParameterKey=ImageUri,ParameterValue=IMAGE" if "Parameters" in adoption.template else ""
        lines += [
            f"aws cloudformation create-change-set {change} --change-set-type IMPORT "
            f"--template-body {quote(f'file://{template}')} --resources-to-import {quote(f'file://{resources}')}{image}",
            f"aws cloudformation describe-change-set {change}   # check: every action is Import",
            f"aws cloudformation execute-change-set {change}",
        ]
    return lines
