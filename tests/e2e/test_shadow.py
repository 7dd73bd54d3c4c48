"""docs/how-to/shadow.md: beside the records of the original, compared in the shadow, then switched."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from handler.records import derive_result_id
from local_aws import control
from scripts.aws import dynamodb, event_source
from scripts.aws.clients import Aws, create_clients
from scripts.aws.stage import load_stage
from scripts.dashboard.connection import Connection
from scripts.dashboard.panels import create_board
from scripts.jobs.shadow_reports import Durations
from tests import pages
from tests.e2e import original_stand_in
from tests.e2e.conftest import Demo


@pytest.fixture(scope="module")
def aws(demo: Demo) -> Iterator[Aws]:
    """The demo's stage with what the original left, and the event source disabled as before the switch."""
    stage = create_clients(load_stage("local"), control.start(demo.name).endpoint)
    event_source.switch_event_source(stage, enabled=False)
    for name in (stage.stage.queues.request, stage.stage.queues.request_dead_letters, stage.stage.queues.response):
        stage.client("sqs").purge_queue(QueueUrl=stage.queue_url(name))
    original_stand_in.create(stage)
    yield stage
    original_stand_in.remove(stage)
    event_source.switch_event_source(stage, enabled=True)


def tables(aws: Aws) -> dict[str, list[dynamodb.Record]]:
    """Return every record of a job, a result and an outbox entry."""
    names = ("ScoringJob", "ScoreResult", "Outbox")
    return {name: sorted(dynamodb.scan(aws, name), key=lambda record: str(record["id"])) for name in names}


def waiting(aws: Aws) -> list[int]:
    """Return the numbers of messages in the request, response and dead-letter queues."""
    queues = aws.stage.queues
    urls = [aws.queue_url(name) for name in (queues.request, queues.response, queues.request_dead_letters)]
    read = aws.client("sqs").get_queue_attributes
    attributes = [read(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"] for url in urls]
    return [int(values["ApproximateNumberOfMessages"]) for values in attributes]


def run_step(demo: Demo, step: pages.Step) -> int:
    """Run a step's command, which prints what the page shows; returns its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts", *pages.python_of(step.name)],
        cwd=pages.ROOT,
        env={**pages.environment(), "LOCAL_AWS_NAME": demo.name, "STAGE": "local"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )
    assert pages.same(step.text, done.stdout), done.stdout
    return done.returncode


def test_the_page_leads_from_the_shadow_to_the_switch(demo: Demo, aws: Aws) -> None:
    """Each command prints what the page shows; the shadow changes nothing; after the switch each job has its result."""
    steps = [step for step in pages.steps(pages.path_of("shadow").read_text(encoding="utf-8")) if step.on_stage]
    compared, accepted, redriven = steps
    before = tables(aws), waiting(aws)
    for step, code in ((compared, 3), (accepted, 0)):
        assert run_step(demo, step) == code
    assert (tables(aws), waiting(aws)) == before
    panel = create_board(Connection(aws.stage, aws.endpoint)).take_snapshot(60).panels["shadow"]
    latest, earlier, *_ = panel.value.reports
    assert (latest.least, earlier.least) == (0.9, 1.0)
    assert [(one.score, one.same, one.compared, one.kinds) for one in latest.scores] == [
        ("Asks for Refund", 21, 23, {"value": 2})
    ]
    assert latest.stored == Durations(23, *[original_stand_in.SECONDS] * 3)
    assert latest.function.count == 23
    assert run_step(demo, redriven) == 0
    event_source.switch_event_source(aws, enabled=True)
    values = {original_stand_in.DEAD_JOB: "No", original_stand_in.RETRIED_JOB: "Yes"}
    event_source.wait("the failed jobs' results", lambda: {state_of(aws, job) for job in values} == {"COMPLETED"})
    results = [one for one in tables(aws)["ScoreResult"] if one.get("scoringJobId") in values]
    assert {one["scoringJobId"]: (one["id"], one["value"]) for one in results} == {
        job: (derive_result_id(job), value) for job, value in values.items()
    }


def state_of(aws: Aws, job: str) -> str:
    """Return a job's status."""
    return next(str(record["status"]) for record in tables(aws)["ScoringJob"] if record["id"] == job)


def test_a_part_of_the_jobs_is_the_same_part_each_time(demo: Demo, aws: Aws) -> None:
    """With a share of the jobs, two runs compare the same ones, fewer than all."""
    words = ("shadow", "--scorecard", original_stand_in.KEY, "--share", "0.5", "--least", "0", "--json")
    runs = [json.loads(demo.run(*words).stdout) for _ in range(2)]
    compared = [run["scores"][0]["compared"] for run in runs]
    assert compared[0] == compared[1]
    assert 0 < compared[0] < 23
    assert runs[0]["differences"] == runs[1]["differences"]


def test_a_function_that_fails_agrees_with_nothing(demo: Demo, aws: Aws) -> None:
    """A version that does not exist is one error; a score that fails in the function has no value, and exit code 3."""
    done = demo.run("shadow", "--scorecard", original_stand_in.KEY, "--qualifier", "4711")
    assert done.returncode == 1
    assert f"there is no function {aws.stage.function.name}:4711" in done.stderr
    version = {"id": {"S": f"{original_stand_in.KEY}-version"}}
    table = aws.stage.table("ScoreVersion")
    kept = aws.client("dynamodb").get_item(TableName=table, Key=version)["Item"]
    broken = {**kept, "id": {"S": f"{original_stand_in.KEY}-broken"}, "configuration": {"S": "name: x\ngraph: 7"}}
    aws.client("dynamodb").put_item(TableName=table, Item=broken)
    score = {"id": {"S": f"{original_stand_in.KEY}-score"}}

    def use(identity: str) -> None:
        aws.client("dynamodb").update_item(
            TableName=aws.stage.table("Score"),
            Key=score,
            UpdateExpression="SET championVersionId = :version",
            ExpressionAttributeValues={":version": {"S": identity}},
        )

    use(f"{original_stand_in.KEY}-broken")
    try:
        done = demo.run("shadow", "--scorecard", original_stand_in.KEY, "--limit", "2", "--json")
    finally:
        use(f"{original_stand_in.KEY}-version")
    assert done.returncode == 3
    (figures,) = json.loads(done.stdout)["scores"]
    assert (figures["compared"], figures["same"], figures["kinds"]["no value"]) == (2, 0, 2)
    assert "InvalidScorecard" in json.loads(done.stdout)["differences"][0]["new error"]
