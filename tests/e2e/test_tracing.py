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
from scripts import _logs, _release, configure, deploy, enqueue, infra
from scripts._aws import Aws, load_stage
from scripts._function import read
from scripts._items import Item
from scripts._seed import read_card
from scripts.demo import TRAINED
from tests.e2e.conftest import Demo, wait_for
from tests.e2e.staged import Staged, staged

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
    with staged("tracing", tmp_path_factory.mktemp("images")) as found:
        deploy.deploy(found.aws, found.image("first"))
        configure.configure(found.aws)
        yield found


def traced(stage: Staged) -> Aws:
    """The stage as its file would say with `tracing = true`."""
    settings = stage.aws.stage
    shape = dataclasses.replace(settings.function, tracing=True)
    return Aws(dataclasses.replace(settings, function=shape), stage.aws.endpoint)


def traced_templates(folder: Path) -> Path:
    """The templates that `make infra` makes of it."""
    shutil.copytree(infra.TEMPLATES / "local", folder / "local")
    path = folder / "local" / "local-function.template.json"
    template = json.loads(path.read_text(encoding="utf-8"))
    template["Resources"]["Function"]["Properties"]["TracingConfig"] = {"Mode": "Active"}
    (policy,) = template["Resources"]["Role"]["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"].append(RIGHTS)
    path.write_text(json.dumps(template), encoding="utf-8")
    return folder


def served(aws: Aws) -> str:
    """The tracing mode that callers of the alias get."""
    facts = _release.read_live(aws).facts
    return facts.tracing if facts else "nothing is deployed"


def sids(stage: Staged) -> list[str]:
    """The statements that the function's role has now."""
    role = read(stage.aws).role.rpartition("/")[2]
    document = stage.aws.client("iam").get_role_policy(RoleName=role, PolicyName="worker")["PolicyDocument"]
    return [statement["Sid"] for statement in document["Statement"]]


def test_it_is_switched_on_and_off_again(stage: Staged, tmp_path: Path) -> None:
    """The stack's update brings mode and rights, the configuration a version that callers get; and back."""
    on = traced(stage)
    infra.deploy(on, folder=traced_templates(tmp_path))
    assert "SendTraces" in sids(stage)
    assert served(on) == "PassThrough"
    assert configure.configure(on).action == "configured"
    assert served(on) == "Active"
    assert configure.configure(on).action == "unchanged"
    infra.deploy(stage.aws)
    assert "SendTraces" not in sids(stage)
    assert configure.configure(stage.aws).action == "configured"
    assert served(stage.aws) == "PassThrough"


def test_tracing_alone_is_a_difference(stage: Staged) -> None:
    """Before any stack is updated, the configuration's dry run names the mode, and nothing else."""
    (difference,) = configure.configure(traced(stage), dry_run=True).differences
    assert (difference.name, difference.old, difference.new) == ("tracing", "PassThrough", "Active")


def scored_within_a_trace(aws: Aws) -> str:
    """A job whose message was sent in one trace, worked off in another; the job's id."""
    (job,) = enqueue.seed(aws, read_card(TRAINED), [Item(uuid.uuid4().hex, "A refund.", {})], ["Mentions Refund"])
    record = {
        "messageId": uuid.uuid4().hex,
        "receiptHandle": "gone",
        "body": enqueue.body(job.id),
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
    """The tracing header of the response that the trace's invocation sent."""
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


def logged(aws: Aws, began_ms: int) -> list[dict[str, Any]]:
    """The records of the log since then, once the traced invocation's metrics, its last line, are among them."""

    def arrived() -> list[dict[str, Any]]:
        lines = [record for event in _logs.read(aws, began_ms) if (record := _logs.parsed(event.message))]
        return lines if any("_aws" in line and line.get("trace_id") == ROOT for line in lines) else []

    found: list[dict[str, Any]] = wait_for(arrived, "the traced invocation's metrics in the log")
    return found


def test_log_message_and_response_name_the_same_trace(demo: Demo) -> None:
    """Each line of a job names the invocation's trace and the sender's, and the response goes on in the trace."""
    running = control.find(demo.name)
    assert running is not None
    aws, began = Aws(load_stage("local"), running.endpoint), int(time.time() * 1000) - 1000
    job = scored_within_a_trace(aws)
    mine = [line for line in logged(aws, began) if line.get("scoring_job_id") == job]
    assert mine
    assert {(line.get("trace_id"), line.get("sender_trace_id")) for line in mine} == {(ROOT, SENDER)}
    assert f"Root={ROOT}" in response_trace(aws)
