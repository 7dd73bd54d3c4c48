import dataclasses
import json
import re

import pytest

import stages
from stages.rules import SET_BY_TEMPLATE, SET_IF_NEEDED
from tests.infrastructure.templates import as_list, read_template, resources, statements
from tests.infrastructure.test_tracing import synthesize


def test_the_function_has_the_stages_shape(stage: str) -> None:
    """Memory, timeout, ephemeral storage and concurrency are those of the stage file; the architecture is x86_64."""
    wanted = stages.load(stage).function
    function = resources(read_template(stage, "function"), "AWS::Lambda::Function")["Function"]
    assert (function["MemorySize"], function["Timeout"]) == (wanted.memory_mb, wanted.timeout_s)
    assert function["EphemeralStorage"] == {"Size": wanted.ephemeral_mb}
    assert function.get("ReservedConcurrentExecutions") == wanted.reserved_concurrency
    assert (function["PackageType"], function["Architectures"]) == ("Image", ["x86_64"])


def test_the_image_is_a_parameter_by_digest(stage: str) -> None:
    """The template names no image: it has a parameter, which accepts no tag."""
    template = read_template(stage, "function")
    assert resources(template, "AWS::Lambda::Function")["Function"]["Code"] == {"ImageUri": {"Ref": "ImageUri"}}
    pattern = template["Parameters"]["ImageUri"]["AllowedPattern"]
    assert re.fullmatch(pattern, "127.0.0.1:5000/plexus/score-processor-lambda@sha256:" + "0" * 64)
    assert not re.fullmatch(pattern, "127.0.0.1:5000/plexus/score-processor-lambda:latest")


def test_the_alias_has_nothing_that_an_update_could_write(stage: str) -> None:
    """The alias is created at $LATEST and has no other properties, so no update moves it."""
    (alias,) = resources(read_template(stage, "function"), "AWS::Lambda::Alias").values()
    assert alias == {
        "FunctionName": {"Ref": "Function"},
        "FunctionVersion": "$LATEST",
        "Name": stages.load(stage).function.alias,
    }


def test_no_template_publishes_a_version(stage: str) -> None:
    """Only the deploy publishes versions."""
    kinds = {one["Type"] for one in read_template(stage, "function")["Resources"].values()}
    assert "AWS::Lambda::Function" in kinds
    assert "AWS::Lambda::Version" not in kinds


def test_requests_reach_the_alias_in_batches_that_report_their_failures(stage: str) -> None:
    """The event source mapping invokes the alias, never $LATEST, with the stage's settings."""
    wanted = stages.load(stage).event_source
    (mapping,) = resources(read_template(stage, "function"), "AWS::Lambda::EventSourceMapping").values()
    assert mapping["FunctionName"] == {"Ref": "Alias"}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["Enabled"], mapping["BatchSize"]) == (wanted.enabled, wanted.batch_size)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": wanted.maximum_concurrency}


def test_the_environment_can_be_resolved_without_cloudformation(stage: str) -> None:
    """Every variable is a literal or a substitution of region and account, so that `make config` can compute it."""
    variables = resources(read_template(stage, "function"), "AWS::Lambda::Function")["Function"]["Environment"][
        "Variables"
    ]
    assert set(SET_BY_TEMPLATE) - set(SET_IF_NEEDED) <= set(variables)
    for value in variables.values():
        if not isinstance(value, str):
            assert list(value) == ["Fn::Sub"]
            assert set(re.findall(r"\$\{(.*?)\}", value["Fn::Sub"])) <= {"AWS::Region", "AWS::AccountId"}


def test_log_lines_do_not_stay_for_ever(stage: str) -> None:
    """The log group exists before the function does, with the stage's retention."""
    template = read_template(stage, "function")
    (group,) = resources(template, "AWS::Logs::LogGroup").values()
    assert group["RetentionInDays"] == stages.load(stage).retention_days
    assert template["Resources"]["Function"]["DependsOn"] == ["LogGroup"]


def test_the_role_names_actions_and_resources(stage: str) -> None:
    """No action or resource has a wildcard, except log streams, objects of the bucket, and traces (no ARNs)."""
    for statement in statements(read_template(stage, "function")):
        assert statement["Effect"] == "Allow"
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        if statement["Sid"] == "SendTraces":  # tested by test_tracing.py
            continue
        for resource in as_list(statement["Resource"]):
            arn = resource["Fn::Sub"]
            assert "*" not in arn or re.search(r":log-stream:\*$|:s3:::[a-z0-9-]+/[a-z/]*\*$", arn), arn


def test_only_lambda_assumes_the_role(stage: str) -> None:
    """Only Lambda may assume the role."""
    (role,) = resources(read_template(stage, "function"), "AWS::IAM::Role").values()
    assert [s["Principal"] for s in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "lambda.amazonaws.com"}
    ]
    assert "ManagedPolicyArns" not in role


def test_what_a_crash_left_is_swept() -> None:
    """In staging and production a schedule invokes the alias with a sweep, and only that rule may invoke it."""
    for stage in ("staging", "production"):
        template = read_template(stage, "function")
        (rule,) = resources(template, "AWS::Events::Rule").values()
        assert [(t["Arn"], json.loads(t["Input"])) for t in rule["Targets"]] == [
            ({"Ref": "Alias"}, {"source": "sweep"})
        ]
        (permission,) = resources(template, "AWS::Lambda::Permission").values()
        assert permission["SourceArn"] == {"Fn::GetAtt": ["SweepRule", "Arn"]}


def test_every_alarm_says_where_its_page_is(stage: str) -> None:
    """Each alarm states its meaning and its section of the runbook, and none is missing."""
    alarms = resources(read_template(stage, "function"), "AWS::CloudWatch::Alarm")
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
        assert re.fullmatch(r"[A-Z].+: docs/how-to/runbook\.md#[a-z-]+", alarm["AlarmDescription"])
        assert alarm["TreatMissingData"] == "notBreaching"


def test_every_alarm_notifies_the_stages_topic(stage: str) -> None:
    """An alarm notifies when it is raised and when it is over; only CloudWatch of this account publishes, over TLS."""
    template = read_template(stage, "function")
    for alarm in resources(template, "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
    (policy,) = resources(template, "AWS::SNS::TopicPolicy").values()
    allow, deny = policy["PolicyDocument"]["Statement"]
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"})
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize(
    ("notify", "protocol"), [("ops@example.com", "email"), ("https://ops.example.com/hook", "https")]
)
def test_the_stage_file_names_who_is_notified(stage: str, notify: str, protocol: str) -> None:
    """An address is subscribed to the stage's topic; another topic replaces it. The share of failures is a setting."""
    settings = stages.load(stage)
    alarms = dataclasses.replace(settings.alarms, notify=notify, failed_percent=7)
    template = synthesize(dataclasses.replace(settings, alarms=alarms))
    (topic,) = resources(template, "AWS::SNS::Topic").values()
    assert topic["Subscription"] == [{"Endpoint": notify, "Protocol": protocol}]
    assert resources(template, "AWS::CloudWatch::Alarm")["ErrorsAlarm"]["Threshold"] == 7
    other = "arn:aws:sns:us-west-2:000000000000:ops"
    template = synthesize(dataclasses.replace(settings, alarms=dataclasses.replace(settings.alarms, topic=other)))
    assert resources(template, "AWS::CloudWatch::Alarm")["ErrorsAlarm"]["AlarmActions"] == [other]
    assert "AWS::SNS::Topic" not in {one["Type"] for one in template["Resources"].values()}


def test_the_event_source_leaves_concurrency_for_other_calls() -> None:
    """On AWS the function has a concurrency of its own, which event sources cannot use up."""
    for stage in ("staging", "production"):
        template = read_template(stage, "function")
        (mapping,) = resources(template, "AWS::Lambda::EventSourceMapping").values()
        reserved = resources(template, "AWS::Lambda::Function")["Function"]["ReservedConcurrentExecutions"]
        assert mapping["ScalingConfig"]["MaximumConcurrency"] < reserved
