"""The AWS CLI and our verbs read and leave the same state."""

import base64
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from scripts import status
from scripts.aws import invocation, repository
from scripts.aws.stage import create_environment
from scripts.checkout.layout import read_image
from scripts.jobs import sending
from scripts.release import configuration, deployment, rollback
from tests.e2e.aws_cli import AwsCli
from tests.e2e.conftest import ROOT, run
from tests.e2e.staged import Staged

OF_THE_MOMENT = ("LastModified", "RevisionId", "Version", "FunctionArn", "Description")


@pytest.fixture
def stage(released: Staged) -> Staged:
    """Return the stage that several test files share."""
    return released


@pytest.fixture
def aws(stage: Staged) -> AwsCli:
    """Return the AWS CLI for the stage, with the first image served."""
    deployment.deploy(stage.aws, stage.image("first"), commit="1" * 40)
    assert stage.aws.endpoint
    return AwsCli(stage.aws.endpoint, stage.aws.stage.region)


def describe_alias(aws: AwsCli, stage: Staged) -> dict[str, Any]:
    """Return the CLI's description of the alias, without the fields that differ between versions."""
    output = aws(
        "lambda", "get-function", "--function-name", stage.function, "--qualifier", stage.aws.stage.function.alias
    )
    kept = {name: value for name, value in output["Configuration"].items() if name not in OF_THE_MOMENT}
    return {"configuration": kept, "code": output["Code"]}


def test_get_function_tells_the_digest_that_was_deployed(stage: Staged, aws: AwsCli) -> None:
    """`aws lambda get-function` shows the digest that our deploy and status print, and a successful update."""
    digest = stage.image("second")
    deployment.deploy(stage.aws, digest)
    result = describe_alias(aws, stage)
    assert result["code"]["ResolvedImageUri"].endswith(f"@{digest}")
    assert result["configuration"]["State"] == "Active"
    assert status.read_status(stage.aws).digest == digest


def test_describe_images_tells_what_was_pushed(stage: Staged, aws: AwsCli) -> None:
    """`aws ecr describe-images` shows the pushed digest, a single manifest, and the size of its layers."""
    digest = stage.image("second")
    (result,) = aws(
        "ecr",
        "describe-images",
        "--repository-name",
        stage.aws.stage.repository,
        "--image-ids",
        f"imageDigest={digest}",
    )["imageDetails"]
    pushed = read_image(stage.folder / "second" / "layout")
    assert result["imageDigest"] == pushed.digest
    assert result["imageManifestMediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert result["imageSizeInBytes"] == pushed.size


def test_get_queue_attributes_tells_the_depth_of_status(stage: Staged, aws: AwsCli) -> None:
    """The CLI and `make status` count the message that our command sent."""
    name = stage.aws.stage.queues.response_dead_letters
    url = stage.aws.queue_url(name)
    stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=sending.create_body("a-job"))
    result = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert int(result["ApproximateNumberOfMessages"]) == status.read_status(stage.aws).queues[name] == 1
    received = aws("sqs", "receive-message", "--queue-url", url)["Messages"]
    assert [json.loads(message["Body"]) for message in received] == [{"scoring_job_id": "a-job"}]


def test_the_commands_of_the_old_runbook_leave_the_state_of_a_deploy(stage: Staged, aws: AwsCli) -> None:
    """update-function-code, publish-version and update-alias lead to the same state as our deploy."""
    digest, function = stage.image("second"), stage.function
    deployment.deploy(stage.aws, digest)
    ours = describe_alias(aws, stage)
    rollback.roll_back(stage.aws)
    assert describe_alias(aws, stage) != ours
    uri = repository.find_image_uri(stage.aws, digest)
    aws("lambda", "update-function-code", "--function-name", function, "--image-uri", uri)
    aws("lambda", "wait", "function-updated-v2", "--function-name", function)
    version = aws("lambda", "publish-version", "--function-name", function)["Version"]
    alias = stage.aws.stage.function.alias
    aws("lambda", "update-alias", "--function-name", function, "--name", alias, "--function-version", version)
    assert describe_alias(aws, stage) == ours
    assert deployment.deploy(stage.aws, digest).action == "unchanged"


def test_the_old_commands_of_configuration_are_seen_and_put_right(stage: Staged, aws: AwsCli) -> None:
    """Our configuration lists and restores a timeout and a memory size that the CLI changed."""
    function = ("--function-name", stage.function)
    aws("lambda", "update-function-configuration", *function, "--timeout", "60", "--memory-size", "512")
    aws("lambda", "wait", "function-updated-v2", *function)
    done = configuration.configure(stage.aws)
    assert {(one.name, one.old) for one in done.differences} == {("timeout_s", "60"), ("memory_mb", "512")}
    result = aws("lambda", "get-function-configuration", *function)
    wanted = stage.aws.stage.function
    assert (result["Timeout"], result["MemorySize"]) == (wanted.timeout_s, wanted.memory_mb)
    assert result["Environment"]["Variables"].items() >= create_environment(stage.aws.stage).items()


def test_an_invocation_by_the_cli_gives_the_answer_and_the_log_of_ours(
    stage: Staged, aws: AwsCli, tmp_path: Path
) -> None:
    """`aws lambda invoke` returns the same payload and a log tail with Lambda's report."""
    answer = tmp_path / "answer.json"
    alias = stage.aws.stage.function.alias
    event = ("--payload", '{"source": "smoke"}', "--log-type", "Tail")
    output = aws("lambda", "invoke", "--function-name", stage.function, "--qualifier", alias, *event, str(answer))
    ours = invocation.invoke(stage.aws, {"source": "smoke"})
    assert json.loads(answer.read_text()) == ours.payload
    assert base64.b64decode(output["LogResult"]).decode().splitlines()[-1].startswith("REPORT RequestId")
    assert output["ExecutedVersion"] == ours.version


def test_the_runbooks_command_lets_a_failed_job_be_sent_again(stage: Staged, aws: AwsCli, tmp_path: Path) -> None:
    """The command resets a FAILED job and what counts against it, and the file of job ids then sends that job."""
    table, job = stage.aws.stage.table("ScoringJob"), "job-of-the-runbook"
    fields = {"id": {"S": job}, "status": {"S": "FAILED"}, "attempts": {"N": "3"}, "unfinishedClaims": {"N": "3"}}
    dynamodb = stage.aws.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**fields, "errorMessage": {"S": "EndedProcesses: three times"}})
    page = (ROOT / "docs/how-to/runbook.md").read_text(encoding="utf-8")
    block = page[page.index("aws dynamodb update-item") :].partition("```")[0]
    reset, listing, enqueue = block.replace("\\\n", " ").replace("JOB", job).strip().splitlines()
    aws(*shlex.split(reset.replace("PREFIX", stage.aws.stage.tables.prefix))[1:])
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": job}})["Item"]
    assert item == {"id": {"S": job}, "status": {"S": "PENDING"}, "attempts": {"N": "0"}}
    file = tmp_path / enqueue.partition("FILE=")[2]
    file.write_text(shlex.split(listing, comments=True)[1].replace("\\n", "\n"))
    done = run(stage.name, "enqueue", str(file), "--dry-run")
    dynamodb.delete_item(TableName=table, Key={"id": {"S": job}})
    assert done.stdout.startswith("would send 1 job"), done.stdout + done.stderr
