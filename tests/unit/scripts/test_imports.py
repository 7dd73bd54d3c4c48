"""What a stack can take over."""

import shlex
from pathlib import Path
from typing import Any

from scripts._imports import adoption, write

TEMPLATE: dict[str, Any] = {
    "Parameters": {"ImageUri": {"Type": "String"}},
    "Resources": {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": "jobs", "RedrivePolicy": {"target": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}},
        },
        "DeadLetters": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "DependsOn": ["Role"],
            "Properties": {"FunctionName": "worker", "Role": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
    },
}


def identify(*existing: str) -> Any:
    """Tell of these names that they exist; a queue's identifier is its URL."""
    return lambda kind, name: None if name not in existing else f"url/{name}" if "SQS" in kind else name


def test_only_what_exists_is_taken_over() -> None:
    """The part of the template names the existing resources, and the identifiers are CloudFormation's."""
    found = adoption("queues", TEMPLATE, identify("jobs"), None)
    assert found is not None
    assert list(found.template["Resources"]) == ["Queue"]
    assert found.resources == (
        {
            "ResourceType": "AWS::SQS::Queue",
            "LogicalResourceId": "Queue",
            "ResourceIdentifier": {"QueueUrl": "url/jobs"},
        },
    )


def test_nothing_refers_to_what_is_left_out() -> None:
    """A property that names a resource outside of the import is left to the first deploy; one inside stays."""
    alone = adoption("queues", TEMPLATE, identify("jobs"), None)
    both = adoption("queues", TEMPLATE, identify("jobs", "dead"), None)
    assert alone is not None
    assert both is not None
    assert alone.template["Resources"]["Queue"]["Properties"] == {"QueueName": "jobs"}
    assert "RedrivePolicy" in both.template["Resources"]["Queue"]["Properties"]


def test_the_function_keeps_its_role_at_first() -> None:
    """An imported function is described with the role that it has, and waits for nothing."""
    found = adoption("function", TEMPLATE, identify("worker"), "arn:aws:iam::1:role/old")
    assert found is not None
    assert found.template["Resources"]["Function"]["Properties"]["Role"] == "arn:aws:iam::1:role/old"
    assert "DependsOn" not in found.template["Resources"]["Function"]


def test_what_is_taken_over_is_never_deleted_with_the_stack() -> None:
    """Every imported resource is retained, as CloudFormation demands of an import."""
    found = adoption("all", TEMPLATE, identify("jobs", "dead", "worker"), "role")
    assert found is not None
    assert {one["DeletionPolicy"] for one in found.template["Resources"].values()} == {"Retain"}


def test_nothing_existing_is_nothing_to_do() -> None:
    """A stack of which nothing exists is simply created."""
    assert adoption("queues", TEMPLATE, identify(), None) is None


def test_the_commands_may_be_copied_into_a_shell(tmp_path: Path) -> None:
    """A folder with a space in its name is one word of them."""
    found = adoption("queues", TEMPLATE, identify("jobs"), None)
    assert found is not None
    first, *_ = write([found], tmp_path / "my import", "local")
    assert f"file://{tmp_path}/my import/queues.template.json" in shlex.split(first)
