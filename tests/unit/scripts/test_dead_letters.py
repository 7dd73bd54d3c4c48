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


def test_poison_is_what_no_redrive_helps(tmp_path: Path) -> None:
    """Letters without a job, with one that does not exist or is COMPLETED are poison, and kept whole in the file."""
    world = World(tmp_path)
    aws = aws_of(world)
    for name, status in {"job-1": "FAILED", "job-2": "COMPLETED"}.items():
        world.dynamodb.put("ScoringJob", id=name, accountId="account-1", status=status)
    url = aws.queue_url(aws.stage.queues.request_dead_letters)
    bodies = ["no job", *(json.dumps({"scoring_job_id": name}) for name in ("job-1", "job-2", "job-3"))]
    attributes = {"key": {"DataType": "Binary", "BinaryValue": "AAEC"}}
    for body in bodies:
        world.sqs.call("SendMessage", {"QueueUrl": url, "MessageBody": body, "MessageAttributes": attributes})
    with dead_letters.held_letters(aws) as letters:
        poison = dead_letters.select_poison(aws, letters)
        done = dead_letters.redrive(aws, letters, rate=100, dry_run=True, say=lambda _: None)
    dead_letters.keep(poison, tmp_path / "kept" / "letters.jsonl")
    kept = [json.loads(line) for line in (tmp_path / "kept" / "letters.jsonl").read_text().splitlines()]
    assert sorted(entry["body"] for entry in kept) == sorted([bodies[0], *bodies[2:]])
    assert {entry["attributes"]["key"]["BinaryValue"] for entry in kept} == {"AAEC"}
    left = {result.id: result.note for result in done if result.action == "left"}
    assert left.keys() == {entry["id"] for entry in kept}
    assert all(note.endswith("; next: make dlq DELETE=poison") for note in left.values())


def test_letters_that_are_left_for_one_reason_are_one_line(tmp_path: Path) -> None:
    """A broken sender leaves hundreds of letters: a redrive names the first of each reason, and counts the others."""
    world = World(tmp_path)
    aws = aws_of(world)
    url = aws.queue_url(aws.stage.queues.request_dead_letters)
    for _ in range(12):
        world.sqs.call("SendMessage", {"QueueUrl": url, "MessageBody": "no job"})
    lines: list[str] = []
    with dead_letters.held_letters(aws) as letters:
        dead_letters.redrive(aws, letters, rate=1000, dry_run=False, say=lines.append)
    rest = "and 11 others: left: its body names no job; next: make dlq DELETE=poison"
    assert lines == [f"{letters[0].id} {rest}"]
