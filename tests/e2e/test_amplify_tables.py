"""Every operation on Amplify's tables: the worker, `shadow`, `enqueue`, `results`, `doctor` and the dashboard."""

import csv
import importlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from click.testing import CliRunner

import plexus
from handler.records import derive_result_id
from local_aws import control
from plexus.commands import import_
from scripts.aws import dynamodb, event_source
from scripts.aws.clients import Aws, create_clients
from scripts.aws.stage import load_stage
from scripts.doctor import resource_checks
from scripts.jobs.seeding import derive_id
from scripts.release import configuration
from tests.e2e import amplify_tables, original_stand_in
from tests.e2e.conftest import run_demo

COST = {"total_cost": "0.0004", "llm_calls": 1, "prompt_tokens": 200, "completion_tokens": 4}
CARD = """
name: Parcels
key: parcels
scores:
  - name: Parcel
    class: KeywordClassifier
    keywords: [parcel]
"""
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """Yield the stage of a demo with Amplify's tables and what the original left in them; afterwards it has its own."""
    with run_demo("amplify") as demo:
        own = create_clients(load_stage("local"), control.start(demo.name).endpoint)
        stage = create_clients(amplify_tables.with_amplify(own.stage), own.endpoint)
        event_source.switch_event_source(own, enabled=False)
        for name in (own.stage.queues.request, own.stage.queues.request_dead_letters, own.stage.queues.response):
            own.client("sqs").purge_queue(QueueUrl=own.queue_url(name))
        amplify_tables.create(stage)
        key = stage.stage.account_key
        account = {"id": {"S": derive_id("account", key)}, "key": {"S": key}, "name": {"S": key}}
        stage.client("dynamodb").put_item(TableName=stage.stage.table("Account"), Item=account)
        original_stand_in.create(stage, cost=COST)
        configuration.configure(stage)
        yield stage
        assert "PLEXUS_TABLE_SUFFIX" in {change.name for change in configuration.configure(own).differences}
        assert configuration.configure(own).action == "unchanged"


@pytest.fixture
def run(aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a verb on the stage, and returns its exit code and its output."""
    monkeypatch.setattr("scripts.command.shell.load_stage", lambda _: aws.stage)

    def run_verb(module: str, *words: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            importlib.import_module(f"scripts.{module}").main([*words, "--endpoint-url", str(aws.endpoint)])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run_verb


def record_of(aws: Aws, table: str, identity: str) -> dict[str, Any]:
    """Return a record; empty if it does not exist."""
    return next(iter(dynamodb.get(aws, table, [identity])), {})


def test_the_shadow_and_the_dashboard_compare_with_the_originals_results(aws: Aws, run: Run) -> None:
    """The original's results are found by Amplify's index, with the totals of its cost objects; nothing is written."""
    before = dynamodb.scan(aws, "ScoreResult")
    code, output = run("shadow", "--scorecard", original_stand_in.KEY, "--json")
    (figures,) = json.loads(output)["scores"]
    assert (code, figures["same"], figures["compared"]) == (3, 21, 23)
    assert figures["cost"]["old"] == {"known": 23, "sum": "0.0092"}
    assert dynamodb.scan(aws, "ScoreResult") == before
    code, output = run("dashboard.command", "--json")
    panels = json.loads(output)["panels"]
    assert panels["shadow"]["value"]["reports"][0]["scores"][0]["stored_cost"] == pytest.approx(0.0092)
    assert panels["results"]["value"]["total"] == len(before)
    assert panels["jobs"]["value"]["states"]["FAILED"] == 2


def test_the_doctor_checks_amplifys_tables(aws: Aws, run: Run) -> None:
    """The doctor finds the tables with their indexes, and names what is wrong with another id or index name."""
    _, output = run("doctor.command", "--json")
    findings = {finding["name"]: finding for finding in json.loads(output)["findings"]}
    assert (findings["tables"]["verdict"], findings["environment"]["verdict"]) == ("ok", "ok")
    other = replace(aws, stage=amplify_tables.with_amplify(aws.stage, "other-NONE"))
    (finding,) = resource_checks.check_tables(other)
    assert finding.verdict == "fail"
    assert "ScoringJob-other-NONE does not exist" in finding.detail
    names = replace(aws.stage, tables=replace(aws.stage.tables, indexes={"Score": "byNothing"}))
    (finding,) = resource_checks.check_tables(replace(aws, stage=names))
    assert finding.detail == f"Score-{amplify_tables.API} has no index byNothing"


def test_the_champion_versions_are_imported(aws: Aws, run: Run, tmp_path: Path) -> None:
    """Each champion version is a file that `plexus import` reads, apart from its namesakes; other scores are named."""
    client, key = aws.client("dynamodb"), original_stand_in.KEY
    scores: dict[str, dict[str, Any]] = {
        "namesake": {"name": "Asks for Refund", "championVersionId": f"{key}-version"},
        "cyrillic": {"name": "Возврат", "championVersionId": f"{key}-version"},
        "disabled": {"name": "Old", "championVersionId": f"{key}-version", "isDisabled": True},
        "bare": {"name": "New"},
        "lost": {"name": "Lost", "championVersionId": "no-such-version"},
    }
    for identity, fields in scores.items():
        record = {"id": identity, "scorecardId": key, **fields}
        item: Any = {name: TypeSerializer().serialize(value) for name, value in record.items()}
        client.put_item(TableName=aws.stage.table("Score"), Item=item)
    try:
        folder = tmp_path / "versions"
        code, output = run("versions", str(folder), "--scorecard", key, "--json")
        done = json.loads(output)
        assert code == 0
        assert {entry["score"].partition("/")[2]: entry["reason"] for entry in done["skipped"]} == {
            "old": "it is disabled",
            "new": "it has no champion version",
            "lost": "its champion version no-such-version does not exist",
        }
        original = (original_stand_in.FOLDER / "refund.yaml").read_text()
        assert [Path(file).read_text() for file in done["files"]] == [original] * 3
        assert run("versions", str(folder))[0] == 1
        words = [str(folder), "--output", str(tmp_path / "cards")]
        imported = CliRunner().invoke(import_.command, words, standalone_mode=False)
        assert imported.return_value == 0
        cards = [plexus.load_file(path) for path in (tmp_path / "cards").rglob("*.yaml")]
        assert len({card.key for card in cards}) == len(cards) == 3
    finally:
        for identity in scores:
            client.delete_item(TableName=aws.stage.table("Score"), Key={"id": {"S": identity}})


def test_the_worker_completes_jobs_in_amplifys_tables(aws: Aws, run: Run, tmp_path: Path) -> None:
    """A job that the original failed, one without a score, and those of a new scorecard each get one result."""
    bare = record_of(aws, "ScoringJob", f"{original_stand_in.KEY}-job-01")
    pending = {**bare, "id": "bare", "status": "PENDING"}
    del pending["scoreId"]
    item = {name: {"S": str(value)} for name, value in pending.items()}
    aws.client("dynamodb").put_item(TableName=aws.stage.table("ScoringJob"), Item=item)
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "items.csv").write_text("id,text\np1,The parcel is late.\n")
    (tmp_path / "jobs.csv").write_text("scoring_job_id\nbare\n")
    code, output = run("enqueue", str(tmp_path / "jobs.csv"), "--json")
    assert (code, json.loads(output)["jobs"]) == (0, 1)
    card = ("--scorecard", str(tmp_path / "card.yaml"))
    code, output = run("enqueue", str(tmp_path / "items.csv"), *card, "--json")
    assert (code, json.loads(output)["jobs"]) == (0, 1)
    event_source.switch_event_source(aws, enabled=True)
    jobs = ("bare", original_stand_in.RETRIED_JOB)
    ids = [derive_result_id(job) for job in jobs]
    event_source.wait("the results", lambda: len(list(dynamodb.get(aws, "ScoreResult", ids))) == len(ids))
    record = record_of(aws, "ScoreResult", derive_result_id(original_stand_in.RETRIED_JOB))
    assert record["metadata"]["external_id"] == "r10"
    assert record["metadata"]["source"] == "Worker"
    assert [node["name"] for node in record["trace"]] == ["words_explains", "words"]
    (key,) = record["attachments"]
    body = aws.client("s3").get_object(Bucket=amplify_tables.BUCKET, Key=key)["Body"].read()
    assert json.loads(body) == record["trace"]
    assert record_of(aws, "ScoringJob", "bare")["status"] == "COMPLETED"
    code, output = run("results", "--scorecard", "parcels", "--csv")
    (row,) = csv.DictReader(io.StringIO(output))
    assert (code, row["item"], row["score"], row["value"], row["cost"]) == (0, "p1", "Parcel", "Yes", "")
    code, output = run("results", "--scorecard", original_stand_in.KEY, "--csv")
    costs = {row["id"]: row["cost"] for row in csv.DictReader(io.StringIO(output))}
    assert (len(costs), costs[f"{original_stand_in.KEY}-result-01"]) == (26, "0.0004")


@pytest.mark.parametrize(
    ("index", "key", "sort"),
    [
        ("byItemIdAndTypeAndScoreIdAndUpdatedAt", "itemId", "type#scoreId#updatedAt"),
        ("byScorecardScoreItem", "scorecardId", "scoreId#itemId"),
        ("scoreResultsByScorecardIdAndUpdatedAt", "scorecardId", "updatedAt"),
    ],
)
def test_the_originals_indexes_have_the_workers_results(aws: Aws, index: str, key: str, sort: str) -> None:
    """A result is in the composite indexes, whose sort keys AppSync would have computed."""
    record = record_of(aws, "ScoreResult", derive_result_id(original_stand_in.RETRIED_JOB))
    answer = aws.client("dynamodb").query(
        TableName=aws.stage.table("ScoreResult"),
        IndexName=index,
        KeyConditionExpression="#key = :key AND #sort = :sort",
        ExpressionAttributeNames={"#key": key, "#sort": sort},
        ExpressionAttributeValues={":key": {"S": record[key]}, ":sort": {"S": record[sort]}},
    )
    assert record["id"] in {entry["id"]["S"] for entry in answer["Items"]}
