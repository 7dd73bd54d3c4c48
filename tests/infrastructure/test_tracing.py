"""X-Ray is a setting of the stage that adds two permissions and changes nothing else."""

import dataclasses
from typing import Any

import pytest

import stages
from infrastructure import security
from infrastructure.node import use_wheel_node
from stages import Stage
from tests.infrastructure.templates import Template, read_template, resources, statements

DAEMONS = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}


def with_tracing(stage: str, tracing: bool = True) -> Stage:
    """Return a stage with tracing on or off."""
    settings = stages.load(stage)
    return dataclasses.replace(settings, function=dataclasses.replace(settings.function, tracing=tracing))


def synthesize(settings: Stage) -> Template:
    """Return the function's template."""
    use_wheel_node()
    from aws_cdk import App
    from aws_cdk.assertions import Template as Synthesized

    from infrastructure.stacks.lambda_score_processor_stack import LambdaScoreProcessorStack

    app = App(analytics_reporting=False, stack_traces=False, tree_metadata=False)
    return dict(Synthesized.from_stack(LambdaScoreProcessorStack(app, settings)).to_json())


def rights(template: Template) -> dict[str, Any]:
    """Return each X-Ray action that the role may use, with its resource."""
    return {
        action: statement["Resource"]
        for statement in statements(template)
        for action in statement["Action"]
        if action.startswith("xray:")
    }


@pytest.mark.parametrize("tracing", [True, False])
def test_tracing_and_its_rights_come_and_go_together(stage: str, tracing: bool) -> None:
    """Active has the two permissions of X-Ray's daemon, on all resources; PassThrough has none."""
    template = synthesize(with_tracing(stage, tracing))
    function = resources(template, "AWS::Lambda::Function")["Function"]
    assert function["TracingConfig"] == {"Mode": "Active" if tracing else "PassThrough"}
    assert rights(template) == (dict.fromkeys(DAEMONS, "*") if tracing else {})


def test_switching_it_on_changes_nothing_else(stage: str) -> None:
    """Without mode and statement, both templates are equal, including the alias."""
    templates = [synthesize(with_tracing(stage, tracing)) for tracing in (True, False)]
    for template in templates:
        del template["Resources"]["Function"]["Properties"]["TracingConfig"]
        (policy,) = template["Resources"]["Role"]["Properties"]["Policies"]
        document = policy["PolicyDocument"]
        document["Statement"] = [one for one in document["Statement"] if one["Sid"] != "SendTraces"]
    assert templates[0] == templates[1]


def test_the_committed_templates_trace_as_their_files_say(stage: str) -> None:
    """The committed templates have the tracing mode of the stage file."""
    function = resources(read_template(stage, "function"), "AWS::Lambda::Function")["Function"]
    assert function["TracingConfig"]["Mode"] == stages.load(stage).function.tracing_mode


def test_every_finding_of_a_traced_stage_is_accepted_with_a_reason(stage: str) -> None:
    """With tracing on, the violations are exactly those that the table accepts."""
    settings = with_tracing(stage)
    assert security.violations(settings) == set(security.accepted_violations(settings))
