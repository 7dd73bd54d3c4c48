import json
import re

import stages
from stages.rules import SET_BY_TEMPLATE
from tests.infrastructure.templates import committed, listed, resources, statements


def test_the_function_has_the_stages_shape(stage: str) -> None:
    """Memory, timeout, ephemeral storage and concurrency are the stage file's; the image is x86_64."""
    wanted = stages.load(stage).function
    function = resources(committed(stage, "function"), "AWS::Lambda::Function")["Function"]
    assert (function["MemorySize"], function["Timeout"]) == (wanted.memory_mb, wanted.timeout_s)
    assert function["EphemeralStorage"] == {"Size": wanted.ephemeral_mb}
    assert function.get("ReservedConcurrentExecutions") == wanted.reserved_concurrency
    assert (function["PackageType"], function["Architectures"]) == ("Image", ["x86_64"])


def test_the_image_is_a_parameter_by_digest(stage: str) -> None:
    """The template names no image: it is given one, and takes no tag for it."""
    template = committed(stage, "function")
    assert resources(template, "AWS::Lambda::Function")["Function"]["Code"] == {"ImageUri": {"Ref": "ImageUri"}}
    pattern = template["Parameters"]["ImageUri"]["AllowedPattern"]
    assert re.fullmatch(pattern, "127.0.0.1:5000/plexus/score-processor-lambda@sha256:" + "0" * 64)
    assert not re.fullmatch(pattern, "127.0.0.1:5000/plexus/score-processor-lambda:latest")


def test_the_alias_has_nothing_that_an_update_could_write(stage: str) -> None:
    """The alias is born at $LATEST and says nothing else, so no later update moves it back."""
    (alias,) = resources(committed(stage, "function"), "AWS::Lambda::Alias").values()
    assert alias == {
        "FunctionName": {"Ref": "Function"},
        "FunctionVersion": "$LATEST",
        "Name": stages.load(stage).function.alias,
    }


def test_no_template_publishes_a_version(stage: str) -> None:
    """Versions are published by the deploy alone."""
    kinds = {one["Type"] for one in committed(stage, "function")["Resources"].values()}
    assert "AWS::Lambda::Function" in kinds
    assert "AWS::Lambda::Version" not in kinds


def test_requests_reach_the_alias_in_batches_that_report_their_failures(stage: str) -> None:
    """The event source mapping invokes the alias, never $LATEST, with the stage's figures."""
    wanted = stages.load(stage).event_source
    (mapping,) = resources(committed(stage, "function"), "AWS::Lambda::EventSourceMapping").values()
    assert mapping["FunctionName"] == {"Ref": "Alias"}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["Enabled"], mapping["BatchSize"]) == (wanted.enabled, wanted.batch_size)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": wanted.maximum_concurrency}


def test_the_environment_can_be_resolved_without_cloudformation(stage: str) -> None:
    """Every variable is a literal or a substitution of region and account, so that others can state the same values."""
    variables = resources(committed(stage, "function"), "AWS::Lambda::Function")["Function"]["Environment"]["Variables"]
    assert set(SET_BY_TEMPLATE) <= set(variables)
    for value in variables.values():
        if not isinstance(value, str):
            assert list(value) == ["Fn::Sub"]
            assert set(re.findall(r"\$\{(.*?)\}", value["Fn::Sub"])) <= {"AWS::Region", "AWS::AccountId"}


def test_log_lines_do_not_stay_for_ever(stage: str) -> None:
    """The log group exists before the function does, with the stage's retention."""
    template = committed(stage, "function")
    (group,) = resources(template, "AWS::Logs::LogGroup").values()
    assert group["RetentionInDays"] == stages.load(stage).retention_days
    assert template["Resources"]["Function"]["DependsOn"] == ["LogGroup"]


def test_the_role_names_actions_and_resources(stage: str) -> None:
    """No action or resource is a wildcard, but for log streams, objects of the bucket and traces, which have no ARN."""
    for statement in statements(committed(stage, "function")):
        assert statement["Effect"] == "Allow"
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        if statement["Sid"] == "SendTraces":  # test_tracing.py says what it holds
            continue
        for resource in listed(statement["Resource"]):
            arn = resource["Fn::Sub"]
            assert "*" not in arn or re.search(r":log-stream:\*$|:s3:::[a-z0-9-]+/[a-z/]*\*$", arn), arn


def test_only_lambda_assumes_the_role(stage: str) -> None:
    """The role is the function's and nobody else's."""
    (role,) = resources(committed(stage, "function"), "AWS::IAM::Role").values()
    assert [s["Principal"] for s in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "lambda.amazonaws.com"}
    ]
    assert "ManagedPolicyArns" not in role


def test_what_a_crash_left_is_swept() -> None:
    """Staging and production invoke the alias with a sweep on a schedule, and only that rule may."""
    for stage in ("staging", "production"):
        template = committed(stage, "function")
        (rule,) = resources(template, "AWS::Events::Rule").values()
        assert [(t["Arn"], json.loads(t["Input"])) for t in rule["Targets"]] == [
            ({"Ref": "Alias"}, {"source": "sweep"})
        ]
        (permission,) = resources(template, "AWS::Lambda::Permission").values()
        assert permission["SourceArn"] == {"Fn::GetAtt": ["SweepRule", "Arn"]}


def test_every_alarm_says_where_its_page_is(stage: str) -> None:
    """Each alarm names what it means and its place in the runbook, and there is one for each thing worth waking for."""
    alarms = resources(committed(stage, "function"), "AWS::CloudWatch::Alarm")
    assert {name.removesuffix("Alarm") for name in alarms} >= {
        "DeadLetters",
        "ResponseDeadLetters",
        "OldestRequest",
        "Errors",
        "Throttles",
        "NearTimeout",
        "FailedJobs",
        "ProviderCost",
    }
    for alarm in alarms.values():
        assert re.fullmatch(r"[A-Z].+: docs/runbook\.md#[a-z-]+", alarm["AlarmDescription"])
        assert alarm["TreatMissingData"] == "notBreaching"
