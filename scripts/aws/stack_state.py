"""Find the resources of a stack that were deleted by hand, which CloudFormation does not notice by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import resource_import, stacks
from .clients import Aws, read_error_code
from .stacks import Change

CREATE = "Create"
AT_ONCE = 8  # look-ups at a time: a stack has tens of resources, each with a call of its own
ABSENT = resource_import.ABSENT | {"NoSuchEntity", "NoSuchBucketPolicy", "NotFound", "ResourceNotFound"}


def find_deleted(aws: Aws, stack: str, template: Mapping[str, Any]) -> list[Change]:
    """Return the resources of an existing stack that no longer exist, in the template's order. Reads only.

    Types that are not looked up (dashboards, schedules, permissions) count as existing.
    """
    known = stacks.list_physical_ids(aws.client("cloudformation"), stack)
    wanted = [(name, resource) for name, resource in template["Resources"].items() if name in known]

    def is_gone(entry: tuple[str, Mapping[str, Any]]) -> bool:
        name, resource = entry
        return not _exists(aws, resource["Type"], resource["Properties"], known[name])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        gone = list(pool.map(is_gone, wanted))
    return [Change(CREATE, name, resource["Type"]) for (name, resource), lost in zip(wanted, gone, strict=True) if lost]


def name_of(template: Mapping[str, Any], logical_id: str) -> str:
    """Return the name that a template gives a resource, else its logical id."""
    properties = template["Resources"][logical_id]["Properties"]
    names = [*resource_import.PHYSICAL_NAME.values(), "AlarmName", "TopicName", "Name"]
    return next((str(properties[key]) for key in names if isinstance(properties.get(key), str)), logical_id)


def _exists(aws: Aws, kind: str, properties: Mapping[str, Any], physical_id: str) -> bool:
    if (key := resource_import.PHYSICAL_NAME.get(kind)) is not None:
        return resource_import.find_identifier(aws, kind, properties[key]) is not None
    function = aws.stage.function
    looks: dict[str, Callable[[], Any]] = {
        "AWS::CloudWatch::Alarm": lambda: aws.client("cloudwatch").describe_alarms(
            AlarmNames=[properties["AlarmName"]]
        )["MetricAlarms"],
        "AWS::SNS::Topic": lambda: aws.client("sns").get_topic_attributes(TopicArn=physical_id),
        "AWS::IAM::Role": lambda: aws.client("iam").get_role(RoleName=physical_id),
        "AWS::Lambda::Alias": lambda: aws.client("lambda").get_alias(
            FunctionName=function.name, Name=properties["Name"]
        ),
        "AWS::Lambda::EventSourceMapping": lambda: aws.client("lambda").list_event_source_mappings(
            FunctionName=f"{function.name}:{function.alias}"
        )["EventSourceMappings"],
    }
    if kind not in looks:
        return True
    from botocore.exceptions import ClientError

    try:
        return bool(looks[kind]())
    except ClientError as error:
        if read_error_code(error) in ABSENT:
            return False
        raise
