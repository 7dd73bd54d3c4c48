"""Calls and policies as rights: an IAM action on a resource, each written as `service:Action` and the ARN's last part.

Which action a call needs is in the service authorization reference: a batch or a transaction asks for the actions of
what it does, except BatchGetItem and BatchWriteItem, which are actions themselves.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TRANSACTION = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
S3 = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "ListObjects": "ListBucket"}


@dataclass(frozen=True, order=True)
class Right:
    """`resource` is what follows the account in an ARN (`bucket/key` for objects); in a policy it may hold `*`."""

    action: str
    resource: str

    def is_covered_by(self, other: Right) -> bool:
        """Return whether a policy that allows `other` allows this."""
        return self.action == other.action and fnmatch.fnmatchcase(self.resource, other.resource)


def used(call: dict[str, Any]) -> Iterator[Right]:
    """Yield the rights that a recorded call needs; an unknown service needs one that no policy has."""
    name, parameters = call["operation"], call["parameters"]
    match call["service"]:
        case "sqs":
            queue = parameters.get("QueueName") or parameters["QueueUrl"].rpartition("/")[2]
            yield Right(f"sqs:{name.removesuffix('Batch')}", queue)
        case "dynamodb":
            yield from (Right(f"dynamodb:{action}", f"table/{what}") for action, what in tables(name, parameters))
        case "s3":
            yield Right(f"s3:{S3.get(name, name)}", f"{parameters['Bucket']}/{parameters.get('Key', '')}".rstrip("/"))
        case other:
            yield Right(f"{other}:{name}", "unknown")


def tables(operation: str, parameters: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield action and table, or table and index, of a DynamoDB call."""
    if operation == "TransactWriteItems":
        for done in parameters["TransactItems"]:
            kind, _, table = done.partition(" ")
            yield TRANSACTION[kind], table
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        yield from ((operation, table) for table in parameters["RequestItems"])
    else:
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        yield operation, parameters["TableName"] + index


def list_allowed(template: dict[str, Any]) -> set[Right]:
    """Return every action on every resource that the roles of a template allow."""
    names = set()
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        for policy in resource["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow", statement
                for action in as_list(statement["Action"]):
                    names |= {Right(action, last(arn)) for arn in as_list(statement["Resource"])}
    return names


def as_list(value: Any) -> list[Any]:
    """Return a policy's value, which may stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]


def last(resource: str | dict[str, str]) -> str:
    """Return what follows the account in an ARN that is written with pseudo parameters; `*` is itself."""
    if resource == "*":
        return "*"
    arn = resource["Fn::Sub"] if isinstance(resource, dict) else resource
    return arn.replace("${AWS::", "${").split(":", 5)[5]
