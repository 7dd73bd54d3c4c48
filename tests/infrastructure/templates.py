"""The committed templates, read for assertions."""

import json
from typing import Any

import stages
from infrastructure.app import TEMPLATES

STAGES = stages.stage_names()
NOUNS = ("repositories", "tables", "queues", "function")
Template = dict[str, Any]


def committed(stage: str, noun: str) -> Template:
    """One committed template."""
    template: Template = json.loads((TEMPLATES / stage / f"{stage}-{noun}.template.json").read_text(encoding="utf-8"))
    return template


def resources(template: Template, kind: str) -> dict[str, Template]:
    """Logical id → properties of all resources of a type, `AWS::SQS::Queue` say, of which there must be some."""
    found = {name: one.get("Properties", {}) for name, one in template["Resources"].items() if one["Type"] == kind}
    assert found, f"the template has no {kind}"
    return found


def statements(template: Template) -> list[Template]:
    """All statements of the policies that the template's roles hold."""
    return [
        statement
        for role in resources(template, "AWS::IAM::Role").values()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def listed(value: Any) -> list[Any]:
    """A policy's element, which is one value or a list of them, as a list."""
    return value if isinstance(value, list) else [value]
