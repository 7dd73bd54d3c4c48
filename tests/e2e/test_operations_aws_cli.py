"""The plain AWS CLI as a peer: what it sees after our verbs, and what its own commands leave, is the same state."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from scripts import configure, deploy, enqueue, invoke, rollback, status
from scripts._image import read_image
from tests.e2e.aws_cli import AwsCli
from tests.e2e.staged import Staged

OF_THE_MOMENT = ("LastModified", "RevisionId", "Version", "FunctionArn", "Description")


@pytest.fixture
def stage(released: Staged) -> Staged:
    """The stage that these tests share with others."""
    return released


@pytest.fixture
def aws(stage: Staged) -> AwsCli:
    """The AWS CLI on the stage, the first image behind the alias."""
    deploy.deploy(stage.aws, stage.image("first"), commit="1" * 40)
    assert stage.aws.endpoint
    return AwsCli(stage.aws.endpoint, stage.aws.stage.region)


def served(aws: AwsCli, stage: Staged) -> dict[str, Any]:
    """What `aws lambda get-function` tells of the alias, but for what differs with every version."""
    told = aws(
        "lambda", "get-function", "--function-name", stage.function, "--qualifier", stage.aws.stage.function.alias
    )
    kept = {name: value for name, value in told["Configuration"].items() if name not in OF_THE_MOMENT}
    return {"configuration": kept, "code": told["Code"]}


def test_get_function_tells_the_digest_that_was_deployed(stage: Staged, aws: AwsCli) -> None:
    """The alias serves the image by the digest that our deploy and status name, and its update succeeded."""
    digest = stage.image("second")
    deploy.deploy(stage.aws, digest)
    found = served(aws, stage)
    assert found["code"]["ResolvedImageUri"].endswith(f"@{digest}")
    assert found["configuration"]["State"] == "Active"
    assert status.status(stage.aws).digest == digest


def test_describe_images_tells_what_was_pushed(stage: Staged, aws: AwsCli) -> None:
    """The repository holds the image under its digest, as one manifest, with the size of its layers."""
    digest = stage.image("second")
    (found,) = aws(
        "ecr",
        "describe-images",
        "--repository-name",
        stage.aws.stage.repository,
        "--image-ids",
        f"imageDigest={digest}",
    )["imageDetails"]
    pushed = read_image(stage.folder / "second" / "layout")
    assert found["imageDigest"] == pushed.digest
    assert found["imageManifestMediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert found["imageSizeInBytes"] == pushed.size


def test_get_queue_attributes_tells_the_depth_of_status(stage: Staged, aws: AwsCli) -> None:
    """A message that our command sent is the one that the CLI counts, and that `make status` counts."""
    name = stage.aws.stage.queues.response_dead_letters
    url = stage.aws.queue_url(name)
    stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=enqueue.body("a-job"))
    found = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert int(found["ApproximateNumberOfMessages"]) == status.status(stage.aws).queues[name] == 1
    received = aws("sqs", "receive-message", "--queue-url", url)["Messages"]
    assert [json.loads(message["Body"]) for message in received] == [{"scoring_job_id": "a-job"}]


def test_the_commands_of_the_old_runbook_leave_the_state_of_a_deploy(stage: Staged, aws: AwsCli) -> None:
    """update-function-code, publish-version and update-alias give the function and alias that our deploy gives."""
    digest, function = stage.image("second"), stage.function
    deploy.deploy(stage.aws, digest)
    ours = served(aws, stage)
    rollback.rollback(stage.aws)
    assert served(aws, stage) != ours
    uri = deploy.image_uri(stage.aws, digest)
    aws("lambda", "update-function-code", "--function-name", function, "--image-uri", uri)
    aws("lambda", "wait", "function-updated-v2", "--function-name", function)
    version = aws("lambda", "publish-version", "--function-name", function)["Version"]
    alias = stage.aws.stage.function.alias
    aws("lambda", "update-alias", "--function-name", function, "--name", alias, "--function-version", version)
    assert served(aws, stage) == ours
    assert deploy.deploy(stage.aws, digest).action == "unchanged"


def test_the_old_commands_of_configuration_are_seen_and_put_right(stage: Staged, aws: AwsCli) -> None:
    """Timeout and memory that the CLI changed are what our configuration names as differences, and restores."""
    function = ("--function-name", stage.function)
    aws("lambda", "update-function-configuration", *function, "--timeout", "60", "--memory-size", "512")
    aws("lambda", "wait", "function-updated-v2", *function)
    done = configure.configure(stage.aws)
    assert {(one.name, one.old) for one in done.differences} == {("timeout_s", "60"), ("memory_mb", "512")}
    found = aws("lambda", "get-function-configuration", *function)
    wanted = stage.aws.stage.function
    assert (found["Timeout"], found["MemorySize"]) == (wanted.timeout_s, wanted.memory_mb)
    assert found["Environment"]["Variables"].items() >= configure.environment(stage.aws.stage).items()


def test_an_invocation_by_the_cli_gives_the_answer_and_the_log_of_ours(
    stage: Staged, aws: AwsCli, tmp_path: Path
) -> None:
    """The same payload, and a log tail that ends with Lambda's report."""
    answer = tmp_path / "answer.json"
    alias = stage.aws.stage.function.alias
    event = ("--payload", '{"source": "smoke"}', "--log-type", "Tail")
    told = aws("lambda", "invoke", "--function-name", stage.function, "--qualifier", alias, *event, str(answer))
    ours = invoke.invoke(stage.aws, {"source": "smoke"})
    assert json.loads(answer.read_text()) == ours.payload
    assert base64.b64decode(told["LogResult"]).decode().splitlines()[-1].startswith("REPORT RequestId")
    assert told["ExecutedVersion"] == ours.version
