"""Each step of a release pipeline has a role that allows the calls of the very commands that it runs, and no others.

The commands run on the local AWS, which records their calls. Actions are compared, not resources.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local_aws import control
from local_aws.status import ask
from scripts.aws import approval, resources
from scripts.release import deployment
from tests.e2e.conftest import run
from tests.e2e.rights import as_list
from tests.e2e.staged import Staged

CHANGE_SET = "release-rights"
TEMPLATE = resources.TEMPLATES / "pipelines" / "production-pipeline.template.json"
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
}
"""Actions that are not named like their call."""
OF_THE_REGISTRY = {
    *("ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"),
    *("ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart", "ecr:DescribeImages"),
}
"""Actions that the registry's own protocol needs on AWS; the local registry has another login."""
ON_OTHER_PATHS = {
    # An alias or a function that does not exist, a stack in progress, a production image that is verified.
    *("dynamodb:Query", "ecr:GetAuthorizationToken", "cloudformation:DescribeStackEvents"),
    # A rollback is made by people; a deploy and its `drift` read versions if there is no ledger.
    *("lambda:ListVersionsByFunction", "lambda:UpdateFunctionConfiguration", "lambda:CreateAlias"),
    # A canary without traffic finds the jobs of stored results.
    *("dynamodb:Scan", "dynamodb:BatchGetItem"),
}


@pytest.fixture(scope="module")
def stage(released: Staged) -> Iterator[Staged]:
    """Yield the stage that several test files share, with the first image; restore what the steps leave deleted."""
    deployment.deploy(released.aws, released.image("first"), commit="1" * 40)
    yield released
    approval.discard(released.aws, CHANGE_SET)
    resources.deploy(released.aws)


def push(stage: Staged) -> None:
    """Push an image, as `make push` does."""
    stage.image("pushed by a pipeline")


def compare(stage: Staged) -> None:
    """Run `make infra-diff` when something was deleted by hand."""
    alarm = "plexus-score-processor-lambda-errors"
    stage.aws.client("cloudwatch").delete_alarms(AlarmNames=[alarm])
    done = run(stage.name, "infra", "diff", "--change-set", CHANGE_SET)
    assert "ErrorsAlarm" in done.stdout, done.stderr


def shape(stage: Staged) -> None:
    """Run `make infra-deploy` with what `compare` has prepared; CloudFormation's own calls are not recorded."""
    done = run(stage.name, "infra", "deploy", "--change-set", CHANGE_SET)
    assert "local-function: updated" in done.stdout, done.stderr


def deploy(stage: Staged) -> None:
    """Run `make deploy` with a canary, and `make drift`."""
    with stage.call_meanwhile():
        words = ("--canary", "90", "--watch", "10")
        done = run(stage.name, "deploy", "--digest", stage.image("pushed by a pipeline"), *words)
    assert done.returncode == 0, done.stderr
    assert run(stage.name, "drift").returncode == 0


STEPS: dict[str, Callable[[Staged], None]] = {"push": push, "compare": compare, "shape": shape, "deploy": deploy}
BEFORE: dict[str, Callable[[Staged], None]] = {"shape": compare}
"""What has to be done before a step, whose calls do not count."""


def used(stage: Staged, step: str) -> set[str]:
    """Return the actions that a step's commands need."""
    running = control.find(stage.name)
    assert running is not None
    if step in BEFORE:
        BEFORE[step](stage)
    ask(running, "/_local_aws/calls", {"record": True})
    STEPS[step](stage)
    calls = [one for one in ask(running, "/_local_aws/calls") if one["caller"] == "test"]
    ask(running, "/_local_aws/calls", {"record": False})
    names = {f"{one['service']}:{one['operation']}" for one in calls} - {"sts:GetCallerIdentity"}
    return {ACTIONS.get(name, name) for name in names} - {"cloudwatch:DeleteAlarms"}


def list_actions(step: str) -> set[str]:
    """Return the actions that the step's role allows, without those of its runner."""
    template: dict[str, Any] = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    names: set[str] = set()
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::IAM::Policy":
            continue
        if resource["Properties"]["Roles"] == [{"Ref": f"{step.capitalize()}ProjectRole"}]:
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                names |= set(as_list(statement["Action"]))
    own = ("codebuild:", "codestar", "kms:", "logs:Create", "logs:Put")
    return {action for action in names if not action.startswith(own) and "*" not in action}


@pytest.mark.parametrize("step", STEPS)
def test_a_steps_role_allows_what_its_commands_call(stage: Staged, step: str) -> None:
    """Every call of the step's commands is allowed; what only reads or deploys may do nothing that it never does."""
    needed, granted = used(stage, step), list_actions(step)
    assert sorted(needed - granted) == []
    if step != "shape":  # CloudFormation changes resources with the rights of its caller
        assert sorted(granted - needed - OF_THE_REGISTRY - ON_OTHER_PATHS) == []
