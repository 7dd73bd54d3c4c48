"""CloudFormation imports of existing resources."""

import shlex
from pathlib import Path
from typing import Any

from scripts.aws.resource_import import plan_adoption, write

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
    """Return an identifier for the existing names; a queue's is its URL."""
    return lambda kind, name: None if name not in existing else f"url/{name}" if "SQS" in kind else name


def test_only_what_exists_is_taken_over() -> None:
    """The partial template has the existing resources only, with CloudFormation's identifiers."""
    adopted = plan_adoption("queues", TEMPLATE, identify("jobs"), None)
    assert adopted is not None
    assert list(adopted.template["Resources"]) == ["Queue"]
    assert adopted.resources == (
        {
            "ResourceType": "AWS::SQS::Queue",
            "LogicalResourceId": "Queue",
            "ResourceIdentifier": {"QueueUrl": "url/jobs"},
        },
    )


def test_nothing_refers_to_what_is_left_out() -> None:
    """A property that refers to a resource outside of the import is removed; other references stay."""
    alone = plan_adoption("queues", TEMPLATE, identify("jobs"), None)
    both = plan_adoption("queues", TEMPLATE, identify("jobs", "dead"), None)
    assert alone is not None
    assert both is not None
    assert alone.template["Resources"]["Queue"]["Properties"] == {"QueueName": "jobs"}
    assert "RedrivePolicy" in both.template["Resources"]["Queue"]["Properties"]


def test_the_function_keeps_its_role_at_first() -> None:
    """An imported function keeps its current role, and depends on nothing."""
    adopted = plan_adoption("function", TEMPLATE, identify("worker"), "arn:aws:iam::1:role/old")
    assert adopted is not None
    assert adopted.template["Resources"]["Function"]["Properties"]["Role"] == "arn:aws:iam::1:role/old"
    assert "DependsOn" not in adopted.template["Resources"]["Function"]


def test_what_is_taken_over_is_never_deleted_with_the_stack() -> None:
    """Every imported resource has the deletion policy Retain, which CloudFormation requires."""
    adopted = plan_adoption("all", TEMPLATE, identify("jobs", "dead", "worker"), "role")
    assert adopted is not None
    assert {one["DeletionPolicy"] for one in adopted.template["Resources"].values()} == {"Retain"}


def test_nothing_existing_is_nothing_to_do() -> None:
    """A stack without existing resources has no import."""
    assert plan_adoption("queues", TEMPLATE, identify(), None) is None


def test_the_commands_may_be_copied_into_a_shell(tmp_path: Path) -> None:
    """The printed commands quote a folder with a space in its name."""
    adopted = plan_adoption("queues", TEMPLATE, identify("jobs"), None)
    assert adopted is not None
    first, *_ = write([adopted], tmp_path / "my import", "local")
    assert f"file://{tmp_path}/my import/queues.template.json" in shlex.split(first)
