"""X-Ray on the local AWS: switched on by stack and configuration; logs, messages and answers find each other."""

import dataclasses
import json
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws import control
from scripts.aws import logs, resources
from scripts.aws.clients import Aws
from scripts.aws.lambda_function import read
from scripts.aws.stage import load_stage
from scripts.demo.steps import TRAINED
from scripts.jobs import sending
from scripts.jobs.item_files import Item
from scripts.jobs.seeding import read_card
from scripts.release import configuration, deployment, versions
from tests.e2e.conftest import Demo, wait_for
from tests.e2e.staged import Staged, start_staged

ROOT, SENDER = "1-5f84c7a1-0123456789abcdef01234567", "1-5f84c7a0-89abcdef0123456789abcdef"
PARENT = "53995c3f42cd8ad8"
RIGHTS = {
    "Sid": "SendTraces",
    "Effect": "Allow",
    "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    "Resource": "*",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """The local stage, deployed and configured without tracing."""
    with start_staged("tracing", tmp_path_factory.mktemp("images")) as result:
        deployment.deploy(result.aws, result.image("first"))
        configuration.configure(result.aws)
        yield result


def with_tracing(stage: Staged) -> Aws:
    """Return the stage as its file would say with `tracing = true`."""
    settings = stage.aws.stage
    shape = dataclasses.replace(settings.function, tracing=True)
    return Aws(dataclasses.replace(settings, function=shape), stage.aws.endpoint)


def traced_templates(folder: Path) -> Path:
    """Return the templates that `make infra` makes of it."""
    shutil.copytree(resources.TEMPLATES / "local", folder / "local")
    path = folder / "local" / "local-function.template.json"
    template = json.loads(path.read_text(encoding="utf-8"))
    template["Resources"]["Function"]["Properties"]["TracingConfig"] = {"Mode": "Active"}
    (policy,) = template["Resources"]["Role"]["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"].append(RIGHTS)
    path.write_text(json.dumps(template), encoding="utf-8")
    return folder


def read_mode(aws: Aws) -> str:
    """Return the tracing mode that callers of the alias get."""
    facts = versions.read_live(aws).facts
    return facts.tracing if facts else "nothing is deployed"


def sids(stage: Staged) -> list[str]:
    """Return the statements that the function's role has now."""
    role = read(stage.aws).role.rpartition("/")[2]
    document: Any = stage.aws.client("iam").get_role_policy(RoleName=role, PolicyName="worker")["PolicyDocument"]
    return [statement["Sid"] for statement in document["Statement"]]


def test_it_is_switched_on_and_off_again(stage: Staged, tmp_path: Path) -> None:
    """The stack's update brings mode and rights, the configuration a version that callers get; and back."""
    on = with_tracing(stage)
    resources.deploy(on, folder=traced_templates(tmp_path))
    assert "SendTraces" in sids(stage)
    assert read_mode(on) == "PassThrough"
    assert configuration.configure(on).action == "configured"
    assert read_mode(on) == "Active"
    assert configuration.configure(on).action == "unchanged"
    resources.deploy(stage.aws)
    assert "SendTraces" not in sids(stage)
    assert configuration.configure(stage.aws).action == "configured"
    assert read_mode(stage.aws) == "PassThrough"


def test_tracing_alone_is_a_difference(stage: Staged) -> None:
    """Before any stack is updated, the configuration's dry run names the mode, and nothing else."""
    (difference,) = configuration.configure(with_tracing(stage), dry_run=True).differences
    assert (difference.name, difference.old, difference.new) == ("tracing", "PassThrough", "Active")


def scored_within_a_trace(aws: Aws) -> str:
    """Return a job whose message was sent in one trace, worked off in another; the job's id."""
    (job,) = sending.seed(aws, read_card(TRAINED), [Item(uuid.uuid4().hex, "A refund.", {})], ["Mentions Refund"])
    record = {
        "messageId": uuid.uuid4().hex,
        "receiptHandle": "gone",
        "body": sending.create_body(job.id),
        "attributes": {"AWSTraceHeader": f"Root={SENDER};Parent={PARENT};Sampled=0"},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{aws.stage.region}:{aws.stage.account}:{aws.stage.queues.request}",
    }
    client = aws.invoker

    def trace(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["X-Amzn-Trace-Id"] = f"Root={ROOT};Parent={PARENT};Sampled=0"

    client.meta.events.register("before-call.lambda.Invoke", trace)
    try:
        answer = client.invoke(
            FunctionName=aws.stage.function.name,
            Qualifier=aws.stage.function.alias,
            Payload=json.dumps({"Records": [record]}),
        )
    finally:
        client.meta.events.unregister("before-call.lambda.Invoke", trace)
    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    return job.id


def response_trace(aws: Aws) -> str:
    """Return the tracing header of the response that the trace's invocation sent."""
    client, url = aws.client("sqs"), aws.queue_url(aws.stage.queues.response)
    for _ in range(100):
        received = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=20,
            MessageSystemAttributeNames=["AWSTraceHeader"],
        )
        for message in received.get("Messages", []):
            header = str(message.get("Attributes", {}).get("AWSTraceHeader", ""))
            if ROOT in header:
                return header
    return ""


def read_log(aws: Aws, began_ms: int) -> list[dict[str, Any]]:
    """Return the records of the log since then, once the traced invocation's metrics, its last line, are among them."""

    def read_records() -> list[dict[str, Any]]:
        lines = [record for event in logs.read(aws, began_ms) if (record := logs.parse_json(event.message))]
        return lines if any("_aws" in line and line.get("trace_id") == ROOT for line in lines) else []

    result: list[dict[str, Any]] = wait_for(read_records, "the traced invocation's metrics in the log")
    return result


def test_log_message_and_response_name_the_same_trace(demo: Demo) -> None:
    """Each line of a job names the invocation's trace and the sender's, and the response goes on in the trace."""
    running = control.find(demo.name)
    assert running is not None
    aws, began = Aws(load_stage("local"), running.endpoint), int(time.time() * 1000) - 1000
    job = scored_within_a_trace(aws)
    own_ = [line for line in read_log(aws, began) if line.get("scoring_job_id") == job]
    assert own_
    assert {(line.get("trace_id"), line.get("sender_trace_id")) for line in own_} == {(ROOT, SENDER)}
    assert f"Root={ROOT}" in response_trace(aws)
