"""CloudFormation: each resource type that the templates use exists afterwards in its own service."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.instance import Instance
from tests.e2e.conftest import Clients, refusal, wait_for

STACK = "everything"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def template(image_uri: str) -> dict[str, Any]:
    """Return a template of every resource type in use."""

    def get(name: str) -> dict[str, Any]:
        return {"Fn::GetAtt": [name, "Arn"]}

    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": get("Table")}],
    }
    repository = {
        "RepositoryName": "stack/image",
        "ImageTagMutability": "IMMUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": True},
        "LifecyclePolicy": {"LifecyclePolicyText": json.dumps({"rules": [RULE]})},
    }
    resources = {
        "Dead": ("SQS::Queue", {"QueueName": "stack-dead"}),
        "Queue": (
            "SQS::Queue",
            {
                "QueueName": "stack-in",
                "VisibilityTimeout": 30,
                "RedrivePolicy": {"deadLetterTargetArn": get("Dead"), "maxReceiveCount": 2},
            },
        ),
        "Table": (
            "DynamoDB::Table",
            {
                "TableName": "stack-table",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "group", "AttributeType": "S"},
                ],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "byGroup",
                        "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            },
        ),
        "Role": (
            "IAM::Role",
            {
                "RoleName": "stack-role",
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [{"PolicyName": "write", "PolicyDocument": policy}],
            },
        ),
        "Log": ("Logs::LogGroup", {"LogGroupName": "/aws/lambda/stack-function", "RetentionInDays": 7}),
        "Repository": ("ECR::Repository", repository),
        "Bucket": ("S3::Bucket", {"BucketName": "stack-bucket"}),
        "Function": (
            "Lambda::Function",
            {
                "FunctionName": "stack-function",
                "PackageType": "Image",
                "Code": {"ImageUri": image_uri},
                "Role": get("Role"),
                "Timeout": 30,
                "MemorySize": 512,
                "ReservedConcurrentExecutions": 9,
                "Environment": {"Variables": {"TABLE": {"Ref": "Table"}, "OUT": {"Ref": "Dead"}}},
            },
        ),
        "Version": ("Lambda::Version", {"FunctionName": {"Ref": "Function"}}),
        "Alias": (
            "Lambda::Alias",
            {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        ),
        "Mapping": (
            "Lambda::EventSourceMapping",
            {
                "FunctionName": {"Ref": "Alias"},
                "EventSourceArn": get("Queue"),
                "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": 3},
            },
        ),
        "Alarm": (
            "CloudWatch::Alarm",
            {
                "AlarmName": "stack-alarm",
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
            },
        ),
        "Rule": ("Events::Rule", {"Name": "stack-rule", "ScheduleExpression": "rate(5 minutes)"}),
    }
    return {
        "Resources": {
            name: {"Type": f"AWS::{kind}", "Properties": properties} for name, (kind, properties) in resources.items()
        },
        "Outputs": {"Uri": {"Value": {"Fn::GetAtt": ["Repository", "RepositoryUri"]}}},
    }


RULE = {
    "rulePriority": 1,
    "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
    "action": {"type": "expire"},
}


@pytest.fixture(scope="module")
def stack(aws: Clients, image_uri: str) -> Iterator[dict[str, Any]]:
    """The deployed template's outputs; deleted, with a check, at the end."""
    cloudformation = aws("cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(template(image_uri)))
    message = wait_for_stack(cloudformation)
    assert message["StackStatus"] == "CREATE_COMPLETE", reasons(cloudformation)
    yield {output["OutputKey"]: output["OutputValue"] for output in message["Outputs"]}
    cloudformation.delete_stack(StackName=STACK)
    wait_for(lambda: "stack-table" not in aws("dynamodb").list_tables()["TableNames"], "the stack to be deleted")


def wait_for_stack(cloudformation: Any) -> dict[str, Any]:
    """Return the stack once nothing is in progress."""
    result: dict[str, Any] = wait_for(
        lambda: [
            stack
            for stack in cloudformation.describe_stacks(StackName=STACK)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS")
        ],
        "the stack",
    )[0]
    return result


def reasons(cloudformation: Any) -> list[str]:
    """Why resources failed."""
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    return [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in events]


def test_repository_is_a_real_one(stack: dict[str, Any], aws: Clients, local_aws: Instance) -> None:
    """The repository of a stack exists in ECR with its settings, and its URI names the local registry."""
    (repository,) = aws("ecr").describe_repositories(repositoryNames=["stack/image"])["repositories"]
    assert repository["repositoryUri"] == stack["Uri"] == f"{local_aws.registry}/stack/image"
    assert (repository["imageTagMutability"], repository["imageScanningConfiguration"]) == (
        "IMMUTABLE",
        {"scanOnPush": True},
    )
    policy = aws("ecr").get_lifecycle_policy(repositoryName="stack/image")["lifecyclePolicyText"]
    assert json.loads(policy)["rules"] == [RULE]


def test_function_version_and_alias_work_together(stack: dict[str, Any], aws: Clients) -> None:
    """The alias of a stack runs version 1 of its function, which has its reserved concurrency."""
    answer = aws("lambda").invoke(FunctionName="stack-function", Qualifier="live", Payload=b'{"environment": 1}')
    value = json.loads(answer["Payload"].read())
    assert (answer["ExecutedVersion"], value["environment"]["TABLE"]) == ("1", "stack-table")
    reserved = aws("lambda").get_function_concurrency(FunctionName="stack-function")
    assert reserved["ReservedConcurrentExecutions"] == 9


def test_mapping_works_on_the_queue(stack: dict[str, Any], aws: Clients) -> None:
    """A message to the stack's queue reaches the stack's table through the mapping on the alias."""
    url = aws("sqs").get_queue_url(QueueName="stack-in")["QueueUrl"]
    aws("sqs").send_message(QueueUrl=url, MessageBody='{"id": "by-stack"}')
    key = {"pk": {"S": "by-stack"}}
    wait_for(lambda: aws("dynamodb").get_item(TableName="stack-table", Key=key).get("Item"), "the item")
    (mapping,) = aws("lambda").list_event_source_mappings(FunctionName="stack-function:live")["EventSourceMappings"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 3}


def test_log_group_keeps_its_retention(stack: dict[str, Any], aws: Clients) -> None:
    """The log group of a stack has its days of retention."""
    (group,) = aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/stack-function")["logGroups"]
    assert group["retentionInDays"] == 7


def test_other_resources_exist(stack: dict[str, Any], aws: Clients) -> None:
    """Role policy, bucket, alarm, rule, redrive policy and index are found by their own services."""
    document = aws("iam").get_role_policy(RoleName="stack-role", PolicyName="write")["PolicyDocument"]
    assert document["Statement"][0]["Action"] == "dynamodb:PutItem"
    aws("s3").put_object(Bucket="stack-bucket", Key="key", Body=b"value")
    assert aws("s3").get_object(Bucket="stack-bucket", Key="key")["Body"].read() == b"value"
    aws("s3").delete_object(Bucket="stack-bucket", Key="key")
    assert aws("cloudwatch").describe_alarms(AlarmNames=["stack-alarm"])["MetricAlarms"][0]["Threshold"] == 1
    assert aws("events").describe_rule(Name="stack-rule")["ScheduleExpression"] == "rate(5 minutes)"
    url = aws("sqs").get_queue_url(QueueName="stack-in")["QueueUrl"]
    message = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (json.loads(message["RedrivePolicy"])["maxReceiveCount"], message["VisibilityTimeout"]) == (2, "30")
    table = aws("dynamodb").describe_table(TableName="stack-table")["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["byGroup"]


def test_update_changes_what_the_template_changes(stack: dict[str, Any], aws: Clients, image_uri: str) -> None:
    """An update changes function, repository, retention, alarm and role policy, and leaves the alias' version.

    A reserved concurrency that the template no longer has is given back.
    """
    changed = template(image_uri)
    del changed["Resources"]["Function"]["Properties"]["ReservedConcurrentExecutions"]
    changed["Resources"]["Function"]["Properties"]["MemorySize"] = 640
    changed["Resources"]["Repository"]["Properties"]["ImageTagMutability"] = "MUTABLE"
    changed["Resources"]["Log"]["Properties"]["RetentionInDays"] = 14
    changed["Resources"]["Alarm"]["Properties"]["Threshold"] = 2
    policy = changed["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"][0]["Action"] = "dynamodb:UpdateItem"
    aws("cloudformation").update_stack(StackName=STACK, TemplateBody=json.dumps(changed))
    assert wait_for_stack(aws("cloudformation"))["StackStatus"] == "UPDATE_COMPLETE", reasons(aws("cloudformation"))
    assert aws("lambda").get_function_configuration(FunctionName="stack-function")["MemorySize"] == 640
    assert "ReservedConcurrentExecutions" not in aws("lambda").get_function_concurrency(FunctionName="stack-function")
    assert aws("cloudwatch").describe_alarms(AlarmNames=["stack-alarm"])["MetricAlarms"][0]["Threshold"] == 2
    (repository,) = aws("ecr").describe_repositories(repositoryNames=["stack/image"])["repositories"]
    assert repository["imageTagMutability"] == "MUTABLE"
    (group,) = aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/stack-function")["logGroups"]
    assert group["retentionInDays"] == 14
    document = aws("iam").get_role_policy(RoleName="stack-role", PolicyName="write")["PolicyDocument"]
    assert document["Statement"][0]["Action"] == "dynamodb:UpdateItem"
    assert aws("lambda").get_alias(FunctionName="stack-function", Name="live")["FunctionVersion"] == "1"


def test_a_drift_aware_change_set_makes_what_is_gone_again(stack: dict[str, Any], aws: Clients) -> None:
    """REVERT_DRIFT re-creates deleted resources under their names, and writes changed properties back."""
    lambda_, sqs, iam = aws("lambda"), aws("sqs"), aws("iam")
    url = sqs.get_queue_url(QueueName="stack-in")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7", "RedrivePolicy": ""})
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="stack-dead")["QueueUrl"])
    iam.delete_role_policy(RoleName="stack-role", PolicyName="write")
    (mapping,) = lambda_.list_event_source_mappings(FunctionName="stack-function:live")["EventSourceMappings"]
    lambda_.delete_event_source_mapping(UUID=mapping["UUID"])
    lambda_.delete_alias(FunctionName="stack-function", Name="live")
    aws("dynamodb").delete_table(TableName="stack-table")
    aws("logs").delete_log_group(logGroupName="/aws/lambda/stack-function")
    aws("cloudwatch").delete_alarms(AlarmNames=["stack-alarm"])
    change = {"StackName": STACK, "ChangeSetName": "revert"}
    body = aws("cloudformation").get_template(StackName=STACK)["TemplateBody"]
    text = body if isinstance(body, str) else json.dumps(body)
    aws("cloudformation").create_change_set(**change, TemplateBody=text, DeploymentMode="REVERT_DRIFT")
    aws("cloudformation").execute_change_set(**change)
    assert wait_for_stack(aws("cloudformation"))["StackStatus"] == "UPDATE_COMPLETE", reasons(aws("cloudformation"))
    held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(held["RedrivePolicy"])
    assert (held["VisibilityTimeout"], redrive["deadLetterTargetArn"].rpartition(":")[2]) == ("30", "stack-dead")
    assert sqs.get_queue_url(QueueName="stack-dead")
    assert iam.list_role_policies(RoleName="stack-role")["PolicyNames"] == ["write"]
    (mapping,) = lambda_.list_event_source_mappings(FunctionName="stack-function:live")["EventSourceMappings"]
    assert mapping["BatchSize"] == 10
    assert aws("dynamodb").describe_table(TableName="stack-table")["Table"]["TableStatus"] == "ACTIVE"
    (group,) = aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/stack-function")["logGroups"]
    assert group["retentionInDays"] == 14
    assert aws("cloudwatch").describe_alarms(AlarmNames=["stack-alarm"])["MetricAlarms"]


def test_unknown_image_fails_the_stack(aws: Clients, local_aws: Instance) -> None:
    """A function of an image that does not exist fails its stack with Lambda's reason."""
    function = {
        "PackageType": "Image",
        "Code": {"ImageUri": f"{local_aws.registry}/none/such:tag"},
        "Role": "arn:aws:iam::000000000000:role/none",
    }
    body = {"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": function}}}
    aws("cloudformation").create_stack(StackName="broken", TemplateBody=json.dumps(body), OnFailure="DO_NOTHING")

    def list_failures() -> list[str]:
        events = aws("cloudformation").describe_stack_events(StackName="broken")["StackEvents"]
        return [event.get("ResourceStatusReason", "") for event in events if event["ResourceStatus"] == "CREATE_FAILED"]

    assert "does not exist. Provide a valid source image" in wait_for(list_failures, "the failure")[-1]
    aws("cloudformation").delete_stack(StackName="broken")
    assert refusal(aws("lambda").get_function, FunctionName="none").startswith("ResourceNotFound")
