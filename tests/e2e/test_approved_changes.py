"""The changes that were shown and approved are those that are executed, or none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.aws import approval, resources, stacks
from scripts.command.shell import Shell
from scripts.console.errors import Refused
from scripts.infra import deploy_confirmed
from scripts.release import deployment
from tests.e2e.conftest import run
from tests.e2e.staged import Staged

NAME = "release-1"


@pytest.fixture
def stage(released: Staged) -> Iterator[Staged]:
    """Yield the stage that several test files share, and leave it as its templates say."""
    yield released
    approval.discard(released.aws, NAME)
    resources.deploy(released.aws)
    deployment.deploy(released.aws, released.image("first"), commit="1" * 40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the templates."""
    shutil.copytree(resources.TEMPLATES / "local", tmp_path / "local")
    return tmp_path


def edit(folder: Path, noun: str, resource: str, **properties: Any) -> None:
    """Change properties of a resource in a copied template."""
    path = folder / "local" / f"local-{noun}.template.json"
    template = json.loads(path.read_text())
    template["Resources"][resource]["Properties"].update(properties)
    path.write_text(json.dumps(template))


def visibility(stage: Staged) -> int:
    """Return the visibility timeout of the response queue, in seconds."""
    url = stage.aws.queue_url(stage.aws.stage.queues.response)
    held = stage.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return int(held["Attributes"]["VisibilityTimeout"])


def batch(stage: Staged) -> int:
    """Return the batch size of the event source."""
    name = f"{stage.function}:{stage.aws.stage.function.alias}"
    (mapping,) = stage.aws.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return int(mapping["BatchSize"])


def actions(outcomes: list[resources.Outcome]) -> dict[str, str]:
    """Return what happened to each stack."""
    return {outcome.stack.removeprefix("local-"): outcome.action for outcome in outcomes}


def test_what_was_prepared_is_executed_and_not_what_was_edited_since(stage: Staged, folder: Path) -> None:
    """Preparing changes nothing and lists the resource; a later edit of the template waits for its own approval."""
    edit(folder, "queues", "ResponseQueue", VisibilityTimeout=77)
    before = visibility(stage)
    prepared = approval.prepare(stage.aws, NAME, folder=folder)
    (queues,) = [outcome for outcome in prepared if outcome.changes]
    assert [(change.action, change.logical_id) for change in queues.changes] == [("Modify", "ResponseQueue")]
    assert visibility(stage) == before
    edit(folder, "queues", "ResponseQueue", VisibilityTimeout=99)
    assert actions(approval.execute(stage.aws, NAME, folder=folder)) == {
        "repositories": "unchanged",
        "tables": "unchanged",
        "queues": "updated",
        "function": "unchanged",
    }
    assert visibility(stage) == 77
    with pytest.raises(Refused, match=f"stack local-queues differs from its template, and has no change set {NAME}"):
        approval.execute(stage.aws, NAME, folder=folder)
    assert visibility(stage) == 77


def test_an_update_in_between_makes_every_change_set_a_refusal(stage: Staged, folder: Path) -> None:
    """If one stack was updated since, no change set of that name is executed, and the error says what to do."""
    edit(folder, "queues", "ResponseQueue", VisibilityTimeout=77)
    edit(folder, "function", "EventSourceMapping", BatchSize=5)
    approval.prepare(stage.aws, NAME, folder=folder)
    other = json.loads((folder / "local/local-function.template.json").read_text())
    other["Resources"]["EventSourceMapping"]["Properties"]["BatchSize"] = 7
    client = stage.aws.client("cloudformation")
    values = stacks.read_parameters(stacks.describe(client, "local-function"))
    stacks.apply(client, "local-function", json.dumps(other), values, exists=True)
    before = visibility(stage)
    with pytest.raises(Refused, match="change set release-1 is outdated: the stack was updated since") as caught:
        approval.execute(stage.aws, NAME, folder=folder)
    assert caught.value.remedy.endswith(f"make infra-diff CHANGE_SET={NAME}")
    assert (visibility(stage), batch(stage)) == (before, 7)


def test_a_deploy_in_between_is_not_undone(stage: Staged, folder: Path) -> None:
    """A change set names the image that was served when it was prepared, and is refused once another is."""
    edit(folder, "function", "EventSourceMapping", BatchSize=5)
    approval.prepare(stage.aws, NAME, folder=folder)
    deployment.deploy(stage.aws, stage.image("second"), commit="2" * 40)
    with pytest.raises(Refused, match="is outdated: the alias serves another image since"):
        approval.execute(stage.aws, NAME, folder=folder)
    assert (stage.answer(), batch(stage)) == ("second", 10)
    approval.prepare(stage.aws, NAME, folder=folder)
    assert actions(approval.execute(stage.aws, NAME, folder=folder))["function"] == "updated"
    assert (stage.answer(), batch(stage)) == ("second", 5)


def test_the_commands_of_a_pipeline_restore_what_was_deleted(stage: Staged) -> None:
    """`infra diff --change-set` prepares, and `infra deploy` with the same name executes, once."""
    stage.aws.client("cloudwatch").delete_alarms(AlarmNames=[f"{stage.function}-errors"])
    done = run(stage.name, "infra", "deploy", "--change-set", NAME)
    assert (done.returncode, f"has no change set {NAME}" in done.stderr) == (1, True), done.stderr
    done = run(stage.name, "infra", "diff", "--change-set", NAME)
    assert "would update by change set" in done.stdout, done.stderr
    assert "ErrorsAlarm" in done.stdout
    done = run(stage.name, "infra", "deploy", "--change-set", NAME)
    assert "local-function: updated" in done.stdout, done.stderr
    again = run(stage.name, "infra", "deploy", "--change-set", NAME)
    assert (again.returncode, "updated" in again.stdout) == (0, False), again.stderr
    assert stage.aws.client("cloudwatch").describe_alarms(AlarmNames=[f"{stage.function}-errors"])["MetricAlarms"]


def test_what_is_declined_leaves_no_change_set(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a guarded stage the prepared change sets are deleted if nobody confirms them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    shell = Shell("staging", stage.aws.endpoint)
    vars(shell)["stage"] = replace(stage.aws.stage, name="staging")
    vars(shell)["aws"] = replace(shell.aws, stage=stage.aws.stage)
    stage.aws.client("cloudwatch").delete_alarms(AlarmNames=[f"{stage.function}-errors"])
    with pytest.raises(Refused, match="needs a confirmation, but standard input is not a terminal"):
        deploy_confirmed(shell, None)
    client = stage.aws.client("cloudformation")
    names = [one["ChangeSetName"] for one in client.list_change_sets(StackName="local-function")["Summaries"]]
    assert [name for name in names if name.startswith("deploy-")] == []
