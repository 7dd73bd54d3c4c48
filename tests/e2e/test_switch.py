"""From the original to this worker and back: a stand-in's jobs, the shadow, the switch as a canary, and its undoing."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from handler.records import derive_result_id
from local_aws import control
from scripts.aws import dynamodb, event_source, lambda_function, repository
from scripts.aws.clients import Aws, create_clients
from scripts.aws.stage import load_stage
from scripts.checkout.layout import read_local_image
from scripts.jobs import sending
from scripts.jobs.seeding import encode
from scripts.release import deployment, history, rollback, versions
from scripts.release.deployment import Canary
from tests.e2e import original_stand_in
from tests.e2e.conftest import Demo
from tests.e2e.staged import Staged

WATCH_S = 45.0
MESSAGES = 16  # fewer than ten calls for one of the versions, so that their durations are not compared
PAUSE_S = 2.5
# Works one job for each message as the original does: no lease, a result under a random id, and no transaction.
ORIGINAL = """
import datetime, json, os, uuid
import boto3
tables = boto3.resource("dynamodb")
prefix = os.environ["PLEXUS_TABLE_PREFIX"]

def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()

def update(job, **fields):
    tables.Table(prefix + "ScoringJob").update_item(
        Key={"id": job},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in fields),
        ExpressionAttributeNames={f"#{name}": name for name in fields},
        ExpressionAttributeValues={f":{name}": value for name, value in fields.items()},
    )

def work(identity):
    update(identity, status="IN_PROGRESS", startedAt=now())
    job = tables.Table(prefix + "ScoringJob").get_item(Key={"id": identity})["Item"]
    item = tables.Table(prefix + "Item").get_item(Key={"id": job["itemId"]})["Item"]
    value = "Yes" if any(word in item["text"].lower() for word in ("refund", "money back")) else "No"
    names = ("accountId", "itemId", "scorecardId", "scoreId")
    fields = {"id": str(uuid.uuid4()), "value": value, "type": "prediction", "status": "COMPLETED", "code": "200"}
    ids = {name: job[name] for name in names} | {"scoringJobId": identity, "createdAt": now(), "updatedAt": now()}
    fields |= {"metadata": {"source": "Worker", "cached_at": now(), "external_id": item["externalId"]}}
    tables.Table(prefix + "ScoreResult").put_item(Item=fields | ids)
    update(identity, status="COMPLETED", completedAt=now())

def handler(event, context):
    for record in event.get("Records", []):
        work(json.loads(record["body"])["scoring_job_id"])
    return {"statusCode": 200, "body": "original"}
"""


@dataclass
class Sender:
    """Creates and sends jobs; `sent` has their ids."""

    aws: Aws
    sent: list[str] = field(default_factory=list)

    def send(self, count: int) -> list[str]:
        """Send so many new jobs of the stand-in's items; returns their ids."""
        model = next(dynamodb.get(self.aws, "ScoringJob", [f"{original_stand_in.KEY}-job-01"]))
        kept = {name: model[name] for name in ("accountId", "scorecardId", "scoreId", "itemId", "createdAt")}
        ids = [f"{original_stand_in.KEY}-{uuid.uuid4().hex}" for _ in range(count)]
        for number, identity in enumerate(ids, start=1):
            item = f"{original_stand_in.KEY}-item-{number % 24 + 1:02d}"
            record = encode(kept | {"id": identity, "itemId": item, "status": "PENDING"})
            self.aws.client("dynamodb").put_item(TableName=self.aws.stage.table("ScoringJob"), Item=record)
        self.sent += ids
        sending.send(self.aws, map(sending.create_body, ids))
        return ids

    def send_slowly(self, ended: threading.Event) -> None:
        """Send MESSAGES jobs one by one, or until the event is set."""
        for _ in range(MESSAGES):
            self.send(1)
            if ended.wait(PAUSE_S):
                break


@pytest.fixture(scope="module")
def aws(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Yield the demo's stage, served by the stand-in of the original; afterwards this worker serves it again."""
    stage = create_clients(load_stage("local"), control.start(demo.name).endpoint)
    event_source.switch_event_source(stage, enabled=False)
    for name in (stage.stage.queues.request, stage.stage.queues.request_dead_letters):
        stage.client("sqs").purge_queue(QueueUrl=stage.queue_url(name))
    original_stand_in.create(stage)
    serve_original(stage, Staged(stage, tmp_path_factory.mktemp("original"), demo.name).push("original", ORIGINAL))
    event_source.switch_event_source(stage, enabled=True)
    yield stage
    deployment.deploy(stage, read_local_image().digest, commit="1" * 40)
    original_stand_in.remove(stage)


def serve_original(aws: Aws, digest: str) -> None:
    """Let the alias point at a version of the stand-in, as the page does it with AWS's own commands."""
    client, function = aws.client("lambda"), aws.stage.function
    client.update_function_code(FunctionName=function.name, ImageUri=repository.find_image_uri(aws, digest))
    lambda_function.wait_for_update(aws)
    version = client.publish_version(FunctionName=function.name, Description="the original")["Version"]
    client.get_waiter("published_version_active").wait(FunctionName=function.name, Qualifier=version)
    client.update_alias(FunctionName=function.name, Name=function.alias, FunctionVersion=version)


def results_of(aws: Aws, jobs: list[str]) -> dict[str, list[str]]:
    """Return the ids of the results of each job."""
    stored: dict[str, list[str]] = {job: [] for job in jobs}
    for record in dynamodb.scan(aws, "ScoreResult"):
        if (job := str(record.get("scoringJobId"))) in stored:
            stored[job].append(str(record["id"]))
    return stored


def wait_for(aws: Aws, jobs: list[str]) -> None:
    """Wait until all jobs are COMPLETED."""

    def are_completed() -> bool:
        records: list[dict[str, Any]] = list(dynamodb.get(aws, "ScoringJob", jobs, ("status",)))
        return [record["status"] for record in records] == ["COMPLETED"] * len(jobs)

    event_source.wait("the jobs", are_completed)


def count_ours(results: dict[str, list[str]]) -> int:
    """Return how many jobs this worker completed, after checking that each has one result."""
    assert {job: len(ids) for job, ids in results.items() if len(ids) != 1} == {}
    return sum(ids == [derive_result_id(job)] for job, ids in results.items())


def test_the_switch_is_a_canary_and_can_be_undone(demo: Demo, aws: Aws) -> None:
    """The shadow agrees with the original's jobs; a canary serves both; a rollback gives the jobs back.

    Throughout, each job has one result.
    """
    sender = Sender(aws)
    original = versions.read_live(aws)
    jobs = sender.send(24)
    wait_for(aws, jobs)
    assert count_ours(results_of(aws, jobs)) == 0

    ours = next(
        entry.version for entry in history.read_history(aws).entries if entry.digest == read_local_image().digest
    )
    words = ("shadow", "--scorecard", original_stand_in.KEY, "--limit", "24", "--qualifier", ours, "--json")
    done = demo.run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    (figures,) = json.loads(done.stdout)["scores"]
    assert (figures["compared"], figures["same"]) == (24, 24)

    ended = threading.Event()
    sending_thread = threading.Thread(target=sender.send_slowly, args=(ended,))
    sending_thread.start()
    try:
        deployed = deployment.deploy(aws, read_local_image().digest, commit="1" * 40, canary=Canary(50, WATCH_S))
    finally:
        ended.set()
        sending_thread.join()
    assert deployed.note.startswith("canary 50 % for 45 s: ")
    assert ", 0 failed" in deployed.note
    wait_for(aws, sender.sent)
    during = count_ours(results_of(aws, sender.sent[24:]))
    assert 0 < during < len(sender.sent) - 24

    jobs = sender.send(6)
    wait_for(aws, jobs)
    assert count_ours(results_of(aws, jobs)) == 6

    rollback.roll_back(aws)
    assert versions.read_live(aws).version == original.version
    jobs = sender.send(6)
    wait_for(aws, jobs)
    assert count_ours(results_of(aws, jobs)) == 0
