"""Redrives, with the tables and queues in memory."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.aws.clients import Aws
from scripts.aws.stage import load_stage
from scripts.jobs import dead_letters
from scripts.jobs.dead_letters import RedriveResult
from tests.memory.world import World


def aws_of(world: World) -> Aws:
    """Return the clients of the local stage, connected to the tables and queues in memory."""
    stage = load_stage("local")
    stage = replace(stage, tables=replace(stage.tables, prefix=""))
    queues = stage.queues
    world.sqs.create(queues.request)
    world.sqs.create(queues.request_dead_letters)
    wire = world.wire
    created = {"dynamodb:20:5": wire.client("dynamodb", world.dynamodb), "sqs:20:5": wire.client("sqs", world.sqs)}
    world.dynamodb.put("Account", id="account-1", key="demo")
    return Aws(stage, None, created)


def redrive(aws: Aws, world: World, body: str) -> RedriveResult:
    """Redrive one dead letter with that body."""
    url = aws.queue_url(aws.stage.queues.request_dead_letters)
    world.sqs.call("SendMessage", {"QueueUrl": url, "MessageBody": body})
    with dead_letters.held_letters(aws) as letters:
        (done,) = dead_letters.redrive(aws, letters, rate=100, dry_run=False, say=lambda _: None)
    return done


@pytest.mark.parametrize("status", dead_letters.REDRIVABLE)
@pytest.mark.parametrize("owner", ["account-2", "", None])
def test_a_redrive_never_resets_a_foreign_job(tmp_path: Path, owner: Any, status: str) -> None:
    """The letter of another account's job, or of one without an account, is left; the job's record is not written."""
    world = World(tmp_path)
    aws = aws_of(world)
    world.job(accountId=owner, status=status)
    before = copy.deepcopy(world.dynamodb.tables)
    done = redrive(aws, world, json.dumps({"scoring_job_id": "job-1"}))
    assert (done.action, "the stage's account is 'account-1'" in done.note) == ("left", True)
    assert world.dynamodb.tables == before
    assert len(world.sqs.bodies(aws.stage.queues.request_dead_letters)) == 1


def test_a_redrive_resets_a_job_of_the_stages_account(tmp_path: Path) -> None:
    """A FAILED job of the stage's account is PENDING again, and its message is back in the request queue."""
    world = World(tmp_path)
    aws = aws_of(world)
    world.job(status="FAILED", errorMessage="why")
    assert redrive(aws, world, json.dumps({"scoring_job_id": "job-1"})).action == "sent"
    assert world.status("job-1") == "PENDING"
    assert len(world.sqs.bodies(aws.stage.queues.request)) == 1
