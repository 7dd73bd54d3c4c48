"""Drift: every manual change is reported, and nothing else."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.aws import lambda_function
from scripts.drift.comparison import find_drift
from scripts.release import configuration, deployment
from tests.e2e.staged import Staged, start_staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """Return the local stage, deployed and configured."""
    with start_staged("drift", tmp_path_factory.mktemp("images")) as result:
        deployment.deploy(result.aws, result.image("first"))
        configuration.configure(result.aws)
        yield result


def list_differences(stage: Staged) -> list[str]:
    """Return subject and setting of every difference."""
    return [f"{one.subject}: {one.setting}" for one in find_drift(stage.aws).differences]


def mapping(stage: Staged) -> dict[str, Any]:
    """Return the event source mapping."""
    name = f"{stage.function}:{stage.aws.stage.function.alias}"
    (entry,) = stage.aws.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return dict(entry)


def role(stage: Staged) -> str:
    """Return the name of the function's role."""
    arn = stage.aws.client("lambda").get_function_configuration(FunctionName=stage.function)["Role"]
    return str(arn.rpartition("/")[2])


def widened_policy(stage: Staged) -> None:
    """Allow all of SQS in the role's policy."""
    client, name = stage.aws.client("iam"), role(stage)
    document: Any = client.get_role_policy(RoleName=name, PolicyName="worker")["PolicyDocument"]
    document["Statement"][0]["Action"] = "sqs:*"
    client.put_role_policy(RoleName=name, PolicyName="worker", PolicyDocument=json.dumps(document))


def another_policy(stage: Staged) -> None:
    """Add a policy to the role."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    stage.aws.client("iam").put_role_policy(
        RoleName=role(stage),
        PolicyName="more",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def shorter_visibility(stage: Staged) -> None:
    """Lower the request queue's visibility timeout."""
    sqs = stage.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=stage.aws.stage.queues.request)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})


def no_redrive(stage: Staged) -> None:
    """Remove the response queue's dead-letter queue."""
    sqs = stage.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=stage.aws.stage.queues.response)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})


def smaller_batches(stage: Staged) -> None:
    """Change the event source's batch size."""
    stage.aws.client("lambda").update_event_source_mapping(UUID=mapping(stage)["UUID"], BatchSize=3)


def reserve_no_concurrency(stage: Staged) -> None:
    """Reserve no concurrency, so that Lambda refuses every call."""
    stage.aws.client("lambda").put_function_concurrency(FunctionName=stage.function, ReservedConcurrentExecutions=0)


def change_latest(stage: Staged) -> None:
    """Change the timeout of $LATEST, which no caller of the alias gets before the next deploy."""
    stage.aws.client("lambda").update_function_configuration(FunctionName=stage.function, Timeout=3)
    lambda_function.wait_for_update(stage.aws)


def moved_alias(stage: Staged) -> None:
    """Point the alias at a version with other settings, without a ledger entry."""
    client = stage.aws.client("lambda")
    client.update_function_configuration(FunctionName=stage.function, MemorySize=512)
    client.get_waiter("function_updated_v2").wait(FunctionName=stage.function, WaiterConfig={"Delay": 1})
    version = client.publish_version(FunctionName=stage.function)["Version"]
    client.update_alias(FunctionName=stage.function, Name=stage.aws.stage.function.alias, FunctionVersion=version)


def test_what_was_just_deployed_has_not_drifted(stage: Staged) -> None:
    """After a deploy and a configuration there is no drift, and the exit code is 0."""
    output = find_drift(stage.aws)
    assert (output.differences, output.exit_code) == ((), 0)


CHANGES: list[tuple[Callable[[Staged], None], list[str]]] = [
    (shorter_visibility, ["queue plexus-scoring-request-standard: visibility timeout"]),
    (no_redrive, ["queue plexus-scoring-response: dead-letter queue", "queue plexus-scoring-response: receives"]),
    (smaller_batches, ["event source of plexus-score-processor-lambda:live: batch size"]),
    (reserve_no_concurrency, ["function plexus-score-processor-lambda: reserved_concurrency"]),
    (change_latest, ["function plexus-score-processor-lambda $LATEST: timeout_s"]),
    (widened_policy, ["role {role}: statement TakeRequests"]),
    (another_policy, ["role {role}: policy more"]),
    (
        moved_alias,
        [
            "alias live: version",
            "function plexus-score-processor-lambda version {version}: memory_mb",
            "function plexus-score-processor-lambda version {version}: timeout_s",
            "function plexus-score-processor-lambda $LATEST: memory_mb",
        ],
    ),
]


@pytest.mark.parametrize(("change", "named"), CHANGES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_change_by_hand_is_named(stage: Staged, change: Callable[[Staged], None], named: list[str]) -> None:
    """Each manual change is reported with its resource and setting, with exit code 3."""
    before = list_differences(stage)
    change(stage)
    values = {"role": role(stage), "version": stage.alias()["FunctionVersion"]}
    assert sorted(set(list_differences(stage)) - set(before)) == sorted(one.format(**values) for one in named)
    assert find_drift(stage.aws).exit_code == 3
