"""Everything in a stage, as comparable values, to test that a command changes nothing."""

from __future__ import annotations

from typing import Any

from local_aws import instance
from tests.e2e.staged import Staged


def state(stage: Staged) -> dict[str, Any]:
    """Function, stacks, images, records, messages and objects of a stage, and every file of its registry."""
    return {
        "function": function(stage),
        "stacks": stacks(stage),
        "images": images(stage),
        "tables": tables(stage),
        "queues": queues(stage),
        "objects": objects(stage),
        "registry": sorted(str(path) for path in (instance.locate_folder(stage.name) / "registry").rglob("*")),
    }


def function(stage: Staged) -> dict[str, Any]:
    """Return every version with its settings, the aliases, and what feeds them."""
    client, name = stage.aws.client("lambda"), stage.function
    return {
        "versions": client.list_versions_by_function(FunctionName=name)["Versions"],
        "aliases": client.list_aliases(FunctionName=name)["Aliases"],
        "sources": client.list_event_source_mappings()["EventSourceMappings"],
    }


def stacks(stage: Staged) -> dict[str, Any]:
    """Return each stack, with its template."""
    client = stage.aws.client("cloudformation")
    response = client.describe_stacks()["Stacks"]
    return {
        one["StackName"]: (one, client.get_template(StackName=one["StackName"])["TemplateBody"])
        for one in response
        if one["StackStatus"] != "DELETE_COMPLETE"
    }


def images(stage: Staged) -> list[Any]:
    """Return digests and tags of the repository."""
    response = stage.aws.client("ecr").describe_images(repositoryName=stage.aws.stage.repository)["imageDetails"]
    return sorted((one["imageDigest"], sorted(one.get("imageTags", ()))) for one in response)


def tables(stage: Staged) -> dict[str, Any]:
    """Return every record of every table."""
    client = stage.aws.client("dynamodb")
    return {
        name: sorted(map(str, client.scan(TableName=name, ConsistentRead=True)["Items"]))
        for name in client.list_tables()["TableNames"]
    }


def queues(stage: Staged) -> dict[str, Any]:
    """Return settings and counts of every queue: a message that is hidden counts elsewhere than one that waits."""
    client = stage.aws.client("sqs")
    return {
        url: client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for url in client.list_queues()["QueueUrls"]
    }


def objects(stage: Staged) -> list[Any]:
    """Return keys and ETags of the stage's bucket."""
    result = stage.aws.client("s3").list_objects_v2(Bucket=stage.aws.stage.bucket)
    return [(one["Key"], one["ETag"]) for one in result.get("Contents", ())]
