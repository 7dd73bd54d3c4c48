"""The committed templates, read for assertions."""

import json
from typing import Any

import stages
from infrastructure.app import TEMPLATES

STAGES = stages.list_stages()
NOUNS = ("repositories", "tables", "queues", "function")
Template = dict[str, Any]


def read_template(stage: str, noun: str) -> Template:
    """Return a committed template."""
    template: Template = json.loads((TEMPLATES / stage / f"{stage}-{noun}.template.json").read_text(encoding="utf-8"))
    return template


def resources(template: Template, kind: str) -> dict[str, Template]:
    """Return logical id → properties of all resources of a type, such as `AWS::SQS::Queue`; fails if there are none."""
    results = {name: one.get("Properties", {}) for name, one in template["Resources"].items() if one["Type"] == kind}
    assert results, f"the template has no {kind}"
    return results


def statements(template: Template) -> list[Template]:
    """Return all policy statements of the template's roles."""
    return [
        statement
        for role in resources(template, "AWS::IAM::Role").values()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def as_list(value: Any) -> list[Any]:
    """Return a policy element, which is a value or a list, as a list."""
    return value if isinstance(value, list) else [value]
