"""The committed templates on a local AWS: created, updated and deleted through CloudFormation."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import stages
from local_aws import control, instance
from scripts.aws import resources, stacks
from scripts.aws.clients import Aws
from scripts.aws.stage import load_stage
from scripts.console.errors import OperationFailed
from stages import Stage
from tests.e2e.conftest import Clients, make_client, wait_for
from tests.e2e.registry import push
from tests.layouts import Layer, write_layout

TEMPLATES = resources.TEMPLATES / "local"


@dataclass(frozen=True)
class Local:
    """An instance of these tests' own with the stacks of the local stage, and two images in its registry."""

    aws: Aws
    clients: Clients
    settings: Stage
    images: tuple[str, str]

    @property
    def function(self) -> str:
        """The function's name."""
        return self.settings.function.name

    def serves(self) -> str:
        """Return the version that the alias names."""
        answer = self.clients("lambda").get_alias(FunctionName=self.function, Name=self.settings.function.alias)
        return str(answer["FunctionVersion"])

    def runs(self, qualifier: str) -> str:
        """Return the image of a version or alias, by digest."""
        answer = self.clients("lambda").get_function(FunctionName=self.function, Qualifier=qualifier)
        return str(answer["Code"]["ImageUri"])

    def release(self, image_uri: str) -> str:
        """Return what a deploy does to the function: new code, a version of it, the alias on that version."""
        client = self.clients("lambda")
        client.update_function_code(FunctionName=self.function, ImageUri=image_uri)
        client.get_waiter("function_updated_v2").wait(FunctionName=self.function, WaiterConfig={"Delay": 0.5})
        version = str(client.publish_version(FunctionName=self.function)["Version"])
        client.update_alias(FunctionName=self.function, Name=self.settings.function.alias, FunctionVersion=version)
        return version


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The stage `local`, created from its committed templates on an instance of its own."""
    name = f"infrastructure-{os.getpid()}"
    try:
        running = control.start(name)
        created: dict[str, Any] = {}

        def clients(service: str) -> Any:
            return created.setdefault(service, make_client(running, service))

        aws = Aws(load_stage("local"), running.endpoint)
        resources.deploy(aws, image_uri=None)
        images = tuple(push_image(tmp_path_factory, clients, running.registry, text) for text in ("first", "second"))
        resources.deploy(aws, image_uri=images[0])
        yield Local(aws, clients, stages.load("local"), (images[0], images[1]))
    finally:
        control.stop(name)
        shutil.rmtree(instance.locate_folder(name), ignore_errors=True)


def push_image(factory: pytest.TempPathFactory, clients: Clients, registry: str, text: str) -> str:
    """Push an image that differs from others by one file; returns its URI by digest. Nothing here runs it."""
    layout = factory.mktemp(text) / "layout"
    write_layout(layout, [Layer(files={"var/task/text": text.encode()})], {"Entrypoint": ["/text"]})
    token = clients("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    repository = stages.load("local").repository
    answer = push(layout, registry, repository, text, basic(token))
    answer.raise_for_status()
    return f"{registry}/{repository}@{answer.headers['Docker-Content-Digest']}"


def basic(token: str) -> tuple[str, str]:
    """Return user and password of a registry token."""
    user, _, password = base64.b64decode(token).decode().partition(":")
    return user, password


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A copy of the templates, for tests that change them."""
    shutil.copytree(TEMPLATES, tmp_path / "local")
    return tmp_path


def edit(folder: Path, noun: str, resource: str, **properties: Any) -> None:
    """Change properties of a resource in a copied template."""
    path = folder / "local" / f"local-{noun}.template.json"
    template = json.loads(path.read_text())
    template["Resources"][resource]["Properties"].update(properties)
    path.write_text(json.dumps(template))


def properties(noun: str, kind: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type in a committed template."""
    template = json.loads((TEMPLATES / f"local-{noun}.template.json").read_text())
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def test_the_queues_are_what_the_template_says(local: Local) -> None:
    """Each queue really has the visibility, retention, redrive and encryption of its template."""
    sqs = local.clients("sqs")
    for queue in properties("queues", "AWS::SQS::Queue"):
        url = sqs.get_queue_url(QueueName=queue["QueueName"])["QueueUrl"]
        held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert held["SqsManagedSseEnabled"] == "true"
        assert int(held["MessageRetentionPeriod"]) == queue["MessageRetentionPeriod"]
        assert int(held["VisibilityTimeout"]) == queue.get("VisibilityTimeout", 30)
        if "RedrivePolicy" in queue:
            redrive = json.loads(held["RedrivePolicy"])
            assert int(redrive["maxReceiveCount"]) == queue["RedrivePolicy"]["maxReceiveCount"]
            assert redrive["deadLetterTargetArn"].endswith(f"{queue['QueueName']}-dead-letters")


def test_the_queue_urls_of_the_environment_are_queues(local: Local) -> None:
    """The URLs that the function is given lead to the stage's queues, as AWS forms them."""
    variables = local.clients("lambda").get_function_configuration(FunctionName=local.function)["Environment"]
    for name, value in variables["Variables"].items():
        if name.endswith("_URL"):
            answer = local.clients("sqs").get_queue_attributes(QueueUrl=value, AttributeNames=["QueueArn"])
            assert answer["Attributes"]["QueueArn"].rpartition(":")[2] == value.rpartition("/")[2]


def test_the_tables_are_what_the_template_says(local: Local) -> None:
    """Each table really has the keys and indexes of its template and is active."""
    for table in properties("tables", "AWS::DynamoDB::Table"):
        held = local.clients("dynamodb").describe_table(TableName=table["TableName"])["Table"]
        assert held["TableStatus"] == "ACTIVE"
        assert held["KeySchema"] == table["KeySchema"]
        assert {one["IndexName"]: one["KeySchema"] for one in held.get("GlobalSecondaryIndexes", [])} == {
            one["IndexName"]: one["KeySchema"] for one in table.get("GlobalSecondaryIndexes", [])
        }


def test_the_bucket_is_closed_and_versioned(local: Local) -> None:
    """The artifact bucket really blocks the public, keeps versions and has its policy."""
    s3, name = local.clients("s3"), local.settings.bucket
    assert set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=name)["Policy"]


def test_the_repository_keeps_tags_and_has_its_lifecycle(local: Local) -> None:
    """The repository is really there, its tags immutable, with the rules of the template."""
    ecr, name = local.clients("ecr"), local.settings.repository
    (held,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert held["imageTagMutability"] == "IMMUTABLE"
    (wanted,) = properties("repositories", "AWS::ECR::Repository")
    text = ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    assert json.loads(text) == json.loads(wanted["LifecyclePolicy"]["LifecyclePolicyText"])


def test_the_function_is_what_the_template_says(local: Local) -> None:
    """Function, role, log group, mapping and alarms really are there with the stage's figures."""
    client, wanted = local.clients("lambda"), local.settings.function
    held = client.get_function_configuration(FunctionName=local.function)
    assert (held["MemorySize"], held["Timeout"], held["PackageType"]) == (wanted.memory_mb, wanted.timeout_s, "Image")
    role = held["Role"].rpartition("/")[2]
    policy = local.clients("iam").get_role_policy(RoleName=role, PolicyName="worker")["PolicyDocument"]
    assert "TakeRequests" in [statement["Sid"] for statement in policy["Statement"]]
    (mapping,) = client.list_event_source_mappings(FunctionName=f"{local.function}:{wanted.alias}")[
        "EventSourceMappings"
    ]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": local.settings.event_source.maximum_concurrency}
    groups = local.clients("logs").describe_log_groups(logGroupNamePrefix=local.settings.log_group)["logGroups"]
    assert [group["logGroupName"] for group in groups] == [local.settings.log_group]
    alarms = local.clients("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in alarms} >= {
        one["AlarmName"] for one in properties("function", "AWS::CloudWatch::Alarm")
    }


def test_deploying_again_changes_nothing(local: Local) -> None:
    """Deploying the same templates again changes nothing."""
    assert {outcome.action for outcome in resources.deploy(local.aws)} == {"unchanged"}


def test_what_the_local_aws_does_not_hold_is_known(local: Local) -> None:
    """Logs have their retention; the bucket's lifecycle is accepted and not held, as docs say."""
    (group,) = local.clients("logs").describe_log_groups(logGroupNamePrefix=local.settings.log_group)["logGroups"]
    assert group["retentionInDays"] == local.settings.retention_days
    s3 = local.clients("s3")
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=local.settings.bucket)


def test_a_stack_update_leaves_the_release_where_it_is(local: Local, changed: Path) -> None:
    """After a deploy, changing the function's shape moves neither the alias nor the code, here or later."""
    version = local.release(local.images[1])
    edit(changed, "function", "Function", MemorySize=1024)
    edit(changed, "function", "EventSourceMapping", BatchSize=5)
    edit(changed, "function", "ErrorsAlarm", Threshold=3)
    resources.deploy(local.aws, folder=changed)
    assert local.clients("lambda").get_function_configuration(FunctionName=local.function)["MemorySize"] == 1024
    assert (local.serves(), local.runs(local.settings.function.alias)) == (version, local.images[1])
    # The next version is published from $LATEST, so the older image must not have come back there either.
    assert local.runs("$LATEST") == local.images[1]
    resources.deploy(local.aws)
    assert (local.serves(), local.runs("$LATEST")) == (version, local.images[1])


def test_an_update_that_fails_is_an_error(local: Local) -> None:
    """A stack whose new resource cannot be made ends the update with an error that names stack and resource."""
    client = local.clients("cloudformation")
    resources: dict[str, Any] = {"Kept": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}}
    stacks.apply(client, "failing", json.dumps({"Resources": resources}), {}, exists=False)
    code = {"ImageUri": "127.0.0.1:1/none@sha256:" + "0" * 64}
    function = {"FunctionName": "bad", "PackageType": "Image", "Role": "arn:aws:iam::000000000000:role/x", "Code": code}
    resources["Bad"] = {"Type": "AWS::Lambda::Function", "Properties": function}
    with pytest.raises(OperationFailed, match=r"stack failing ended as rolled back:\n  - Bad"):
        stacks.apply(client, "failing", json.dumps({"Resources": resources}), {}, exists=True)
    stacks.remove(client, "failing")


def test_a_queue_update_keeps_its_messages(local: Local, changed: Path) -> None:
    """A changed visibility timeout is applied in place: what waits in the queue still waits there."""
    sqs = local.clients("sqs")
    url = sqs.get_queue_url(QueueName=local.settings.queues.response)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    edit(changed, "queues", "ResponseQueue", VisibilityTimeout=90)
    resources.deploy(local.aws, folder=changed)
    held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert held["VisibilityTimeout"] == "90"
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
    assert message["Body"] == "kept"
    resources.deploy(local.aws)


def test_deleting_leaves_nothing(local: Local) -> None:
    """Deleting the stage's stacks removes every resource that they made."""
    outcomes = resources.delete(local.aws)
    assert [outcome.action for outcome in outcomes] == ["deleted"] * len(resources.ORDER)
    clients = local.clients
    wait_for(lambda: not clients("dynamodb").list_tables()["TableNames"], "the tables to go")
    assert not clients("sqs").list_queues().get("QueueUrls")
    assert not clients("s3").list_buckets()["Buckets"]
    assert not clients("ecr").describe_repositories()["repositories"]
    assert not clients("lambda").list_functions()["Functions"]
    wait_for(lambda: not clients("lambda").list_event_source_mappings()["EventSourceMappings"], "the mapping to go")
    assert not clients("cloudwatch").describe_alarms()["MetricAlarms"]
    assert not clients("logs").describe_log_groups()["logGroups"]


def test_what_exists_already_can_be_taken_over(local: Local, tmp_path: Path) -> None:
    """Each resource made by hand under one of the stage's names is in its stack's file, with its identifier."""
    clients, settings = local.clients, local.settings
    url = clients("sqs").create_queue(QueueName=settings.queues.request)["QueueUrl"]
    clients("ecr").create_repository(repositoryName=settings.repository)
    clients("logs").create_log_group(logGroupName=settings.log_group)
    clients("s3").create_bucket(
        Bucket=settings.bucket, CreateBucketConfiguration={"LocationConstraint": settings.region}
    )
    result = resources.plan_adoptions(local.aws)
    identifiers = {one.stack: [resource["ResourceIdentifier"] for resource in one.resources] for one in result}
    assert identifiers == {
        "local-repositories": [{"RepositoryName": settings.repository}],
        "local-tables": [{"BucketName": settings.bucket}],
        "local-queues": [{"QueueUrl": url}],
        "local-function": [{"LogGroupName": settings.log_group}],
    }
