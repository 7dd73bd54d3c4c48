"""Faults of a stage as people, other tools and broken images cause them, each a function of the stage."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

from scripts.aws import health, lambda_function, ledger, stacks
from scripts.release import configuration, deployment, versions
from tests.e2e.conftest import ROOT, wait_for
from tests.e2e.staged import Staged

CODE = """
import os, signal, time
{at_import}
def handler(event, context):
    if event.get("source") == "smoke":
        return {{"statusCode": 200, "body": "{name}"}}
    if os.environ.get("BREAK"):
        raise RuntimeError("broken by its settings")
    {then}
    return {{"statusCode": 200, "body": "{name}"}}
"""
CALLS = 4
EXPIRING = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "any",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 1,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
DENIED = '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}'


def image(stage: Staged, name: str, then: str = "pass", at_import: str = "") -> str:
    """Push an image that passes its smoke test and then does what `then` says; returns its digest."""
    return stage.push(name, CODE.format(name=name, then=then, at_import=at_import))


def environment(stage: Staged) -> dict[str, str]:
    """Return the environment in which commands find the instance."""
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    return {**kept, "LOCAL_AWS_NAME": stage.name, "STAGE": "local"}


def deleted_table(name: str) -> Callable[[Staged], object]:
    """Return the fault that deletes a table."""
    return lambda stage: stage.aws.client("dynamodb").delete_table(TableName=stage.aws.stage.table(name))


def deleted_queue(name: str) -> Callable[[Staged], object]:
    """Return the fault that deletes a queue, named by the stage file's key."""

    def delete(stage: Staged) -> None:
        url = stage.aws.queue_url(getattr(stage.aws.stage.queues, name))
        stage.aws.client("sqs").delete_queue(QueueUrl=url)

    return delete


def queue_attributes(name: str, **attributes: Any) -> Callable[[Staged], object]:
    """Return the fault that changes a queue's attributes."""

    def change(stage: Staged) -> None:
        values: Any = attributes
        url = stage.aws.queue_url(getattr(stage.aws.stage.queues, name))
        stage.aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=values)

    return change


def another_consumer(stage: Staged) -> None:
    """Give half of the jobs to $LATEST, by a second event source mapping."""
    arn = mapping(stage)["EventSourceArn"]
    client = stage.aws.client("lambda")
    identity = client.create_event_source_mapping(FunctionName=stage.function, EventSourceArn=arn)["UUID"]
    wait_for(lambda: client.get_event_source_mapping(UUID=identity)["State"] == "Enabled", "the second mapping")


def mapping(stage: Staged) -> dict[str, Any]:
    """Return the event source mapping."""
    name = f"{stage.function}:{stage.aws.stage.function.alias}"
    (response,) = stage.aws.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return dict(response)


def mapping_changed(**settings: Any) -> Callable[[Staged], object]:
    """Return the fault that changes the event source mapping."""

    def change(stage: Staged) -> None:
        client, identity = stage.aws.client("lambda"), mapping(stage)["UUID"]
        client.update_event_source_mapping(UUID=identity, **settings)
        wait_for(lambda: not mapping(stage)["State"].endswith("ing"), "the mapping to change")

    return change


def deleted_artifact(stage: Staged) -> None:
    """Delete a file of a model that a champion version names, so that the score's jobs are retried and given up."""
    s3, dynamodb, digest = stage.aws.client("s3"), stage.aws.client("dynamodb"), "ab" * 32
    score = {"id": "reason", "name": "Reason", "championVersionId": "version-1"}
    version = {"id": "version-1", "configuration": f"artifact: sha256:{digest}"}
    for table, record in (("Score", score), ("ScoreVersion", version)):
        item = {name: {"S": text} for name, text in record.items()}
        dynamodb.put_item(TableName=stage.aws.stage.table(table), Item=item)
    for name in ("model.json", "manifest.json"):
        s3.put_object(Bucket=stage.aws.stage.bucket, Key=f"artifacts/{digest}/{name}", Body=b"{}")
    s3.delete_object(Bucket=stage.aws.stage.bucket, Key=f"artifacts/{digest}/model.json")


def role(stage: Staged) -> str:
    """Return the name of the function's role."""
    return lambda_function.read(stage.aws).role.rpartition("/")[2]


def another_policy(stage: Staged) -> None:
    """Allow everything in a second policy of the role."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    stage.aws.client("iam").put_role_policy(
        RoleName=role(stage), PolicyName="more", PolicyDocument=json.dumps(document)
    )


def widened_policy(stage: Staged) -> None:
    """Widen a statement of the role's policy."""
    client, name = stage.aws.client("iam"), role(stage)
    document: Any = client.get_role_policy(RoleName=name, PolicyName="worker")["PolicyDocument"]
    document["Statement"][0]["Action"] = "sqs:*"
    client.put_role_policy(RoleName=name, PolicyName="worker", PolicyDocument=json.dumps(document))


def latest(**changes: Any) -> Callable[[Staged], object]:
    """Return the fault that gives $LATEST other settings by hand, which the served version does not get."""

    def change(stage: Staged) -> None:
        stage.aws.client("lambda").update_function_configuration(FunctionName=stage.function, **changes)
        lambda_function.wait_for_update(stage.aws)

    return change


def settings(**changes: Any) -> Callable[[Staged], object]:
    """Return the fault that publishes other settings by hand, and moves the alias to them."""

    def change(stage: Staged) -> None:
        latest(**changes)(stage)
        deployment.deploy(stage.aws, versions.read_live(stage.aws).digest, commit="1" * 40)

    return change


def variables(**values: str | None) -> Callable[[Staged], object]:
    """Return the fault that sets environment variables by hand, or removes them with None."""

    def change(stage: Staged) -> None:
        result = lambda_function.read(stage.aws).environment | values
        settings(Environment={"Variables": {name: text for name, text in result.items() if text is not None}})(stage)

    return change


def call(stage: Staged, count: int = CALLS) -> None:
    """Invoke the alias, whatever it answers, and wait until the log has a report of each call."""
    since = int(time.time() * 1000)
    for _ in range(count):
        stage.aws.invoker.invoke(FunctionName=stage.function, Qualifier=stage.aws.stage.function.alias)
    wait_for(
        lambda: sum(len(one.calls) for one in health.read(stage.aws, since).values()) >= count, "the calls' reports"
    )


def deploy_failing(name: str, then: str, **changes: Any) -> Callable[[Staged], object]:
    """Return the fault: deploy an image that passes its smoke test and then fails, with other settings, and call it."""

    def deploy(stage: Staged) -> None:
        if changes:
            stage.aws.client("lambda").update_function_configuration(FunctionName=stage.function, **changes)
            lambda_function.wait_for_update(stage.aws)
        deployment.deploy(stage.aws, image(stage, name, then), commit="2" * 40)
        call(stage)

    return deploy


def configured_badly(stage: Staged) -> None:
    """Release a setting with which every call fails."""
    configuration.configure(stage.aws, extra={"BREAK": "1"})
    call(stage)


def share_calls(failing: bool) -> Callable[[Staged], object]:
    """Return the fault: a canary was killed, and a second version keeps its share of the calls."""

    def share(stage: Staged) -> None:
        alias = lambda_function.read_alias(stage.aws)
        assert alias is not None
        then = "raise RuntimeError('canary')" if failing else "pass"
        uri = stage.aws.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
        latest = lambda_function.read(stage.aws)
        latest = lambda_function.update_code(stage.aws, f"{uri}@{image(stage, f'canary-{failing}', then)}", latest)
        version = lambda_function.publish(stage.aws, latest, "canary").version
        moved = lambda_function.move_alias(stage.aws, alias.version, alias, {version: 90})
        assert moved.shares
        call(stage, 8 if failing else 0)

    return share


def jobs_fail(stage: Staged) -> None:
    """Deploy an image whose worker logs an error for each job, and completes none."""
    then = """print('{"level": "ERROR", "message": "no result", "error": "ValueError: odd"}', flush=True)"""
    deployment.deploy(stage.aws, image(stage, "jobless", then), commit="2" * 40)
    call(stage)


def alias_at(version: Callable[[Staged], str]) -> Callable[[Staged], object]:
    """Return the fault that points the alias elsewhere by hand."""

    def move(stage: Staged) -> None:
        stage.aws.client("lambda").update_alias(
            FunctionName=stage.function, Name=stage.aws.stage.function.alias, FunctionVersion=version(stage)
        )

    return move


def latest_elsewhere(stage: Staged) -> None:
    """Give $LATEST another image by hand, as the seed's update-function-code does."""
    uri = stage.aws.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
    lambda_function.update_code(stage.aws, f"{uri}@{image(stage, 'good')}", lambda_function.read(stage.aws))


def edited_ledger(stage: Staged) -> None:
    """Edit the last entry of the ledger, so that it names a version that does not exist."""
    last = ledger.read_last(stage.aws)
    assert last is not None
    stage.aws.client("dynamodb").update_item(
        TableName=stage.aws.stage.table(ledger.TABLE),
        Key={"function": {"S": stage.function}, "at": {"S": last.at}},
        UpdateExpression="SET version = :version",
        ExpressionAttributeValues={":version": {"S": "7000"}},
    )


def killed_deploy(stage: Staged) -> None:
    """Leave the lock of a deploy of this host that was killed."""
    lines = "import os, signal; from scripts.aws import lock; from scripts.aws.clients import create_clients; "
    lines += "from scripts.aws.stage import load_stage; aws = create_clients(load_stage('local')); "
    lines += "held = lock.hold(aws); held.__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    done = subprocess.run([str(ROOT / ".venv/bin/python"), "-c", lines], cwd=ROOT, env=environment(stage), check=False)
    assert done.returncode == -9


def delete_by(service: str, operation: str, **words: Any) -> Callable[[Staged], object]:
    """Return the fault that makes one call; a word may be a function of the stage."""

    def delete(stage: Staged) -> None:
        values = {name: word(stage) if callable(word) else word for name, word in words.items()}
        getattr(stage.aws.client(service), operation)(**values)

    return delete


def deleted_stack(stage: Staged) -> None:
    """Delete the stack of the queues."""
    stacks.remove(stage.aws.client("cloudformation"), "local-queues")


def receive_and_keep(stage: Staged, seconds: int) -> None:
    """Receive CALLS responses as a consumer that hangs: they are in flight for some seconds, then return."""
    client, url = stage.aws.client("sqs"), stage.aws.queue_url(stage.aws.stage.queues.response)
    client.send_message_batch(QueueUrl=url, Entries=[{"Id": f"{at}", "MessageBody": "{}"} for at in range(CALLS)])
    taken = 0
    while taken < CALLS:
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=seconds)
        taken += len(answer.get("Messages", []))
