"""`make enqueue` and `make results` on the stage that the demo left running."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import _scenario
from scripts._aws import Aws, clients, load_stage
from tests.e2e.conftest import ROOT, Demo

ITEMS = ROOT / "examples" / "items" / "items.csv"
SCORE = ("--score", "Mentions Refund")


@pytest.fixture
def aws(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The demo's stage with its queue held back, so that what is sent stays PENDING."""
    monkeypatch.setenv("LOCAL_AWS_NAME", demo.name)
    stage = clients(load_stage("local"))
    _scenario.switch_event_source(stage, enabled=False)
    request = stage.queue_url(stage.stage.queues.request)
    stage.client("sqs").purge_queue(QueueUrl=request)
    yield stage
    stage.client("sqs").purge_queue(QueueUrl=request)
    _scenario.switch_event_source(stage, enabled=True)


def enqueue(demo: Demo, *words: str) -> dict[str, object]:
    """What the command says as JSON."""
    done = demo.run("scripts.enqueue", *words, "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_the_same_run_again_sends_only_what_is_pending(demo: Demo, aws: Aws, tmp_path: Path) -> None:
    """After one of three jobs was completed, the same run sends two and tells of the third."""
    items = tmp_path / "items.csv"
    items.write_text("id,text\na,One refund.\nb,Two.\nc,Three.\n")
    assert enqueue(demo, str(items), *SCORE, "--run", "again")["jobs"] == 3
    done = demo.run("scripts.invoke", "{}")
    assert done.returncode == 0, done.stderr
    assert (again := enqueue(demo, str(items), *SCORE, "--run", "again"))["jobs"] == 2
    assert again["passed"] == {"COMPLETED": 1}


def test_a_file_of_jobs_sends_those_that_are_pending(demo: Demo, aws: Aws, tmp_path: Path) -> None:
    """A job that is done is told and not sent; one that is not there stops all, by name."""
    done = demo.run("scripts.results", *SCORE, "--limit", "1", "--json")
    (result,) = json.loads(done.stdout)
    jobs = tmp_path / "jobs.csv"
    jobs.write_text(f"scoring_job_id\n{result['scoringJobId']}\n")
    assert enqueue(demo, str(jobs))["passed"] == {"COMPLETED": 1}
    jobs.write_text(f"scoring_job_id\n{result['scoringJobId']}\nnobody\n")
    refused = demo.run("scripts.enqueue", str(jobs))
    assert refused.returncode == 1
    assert "1 of 2 jobs do not exist in stage local:\n  - nobody" in refused.stderr


def test_a_text_that_no_record_holds_is_scored(demo: Demo, aws: Aws, tmp_path: Path) -> None:
    """A text of 400 kB lies in the bucket, its record names it, and the worker finds the word at its end."""
    items = tmp_path / "large.jsonl"
    items.write_text(json.dumps({"id": "large", "text": "ü" * 200_000 + " refund"}))
    assert enqueue(demo, str(items), *SCORE)["jobs"] == 1
    done = demo.run("scripts.invoke", "{}")
    assert done.returncode == 0, done.stderr
    results = json.loads(demo.run("scripts.results", *SCORE, "--json").stdout)
    assert [one["value"] for one in results if one["item"] == "large"] == ["Yes"]


def test_a_job_without_a_status_is_told(demo: Demo, aws: Aws, tmp_path: Path) -> None:
    """A record that somebody else wrote, without a status, is not sent, and stops nothing."""
    aws.client("dynamodb").put_item(TableName=aws.stage.table("ScoringJob"), Item={"id": {"S": "bare"}})
    (tmp_path / "jobs.csv").write_text("scoring_job_id\nbare\n")
    told = enqueue(demo, str(tmp_path / "jobs.csv"))
    assert (told["jobs"], told["passed"]) == (0, {"without a status": 1})


def test_a_dry_run_sends_nothing(demo: Demo, aws: Aws) -> None:
    """It tells how many jobs there would be, and the queue is as it was."""
    told = enqueue(demo, str(ITEMS), *SCORE, "--dry-run")
    assert (told["jobs"], told["action"]) == (24, "would send")
    assert _scenario.depth(aws, aws.queue_url(aws.stage.queues.request)) == 0


def test_results_are_those_of_a_score_as_csv(demo: Demo) -> None:
    """CSV on standard output holds a row for each result of that score, with the item's own id."""
    done = demo.run("scripts.results", "--scorecard", "reviews", "--score", "sentiment", "--csv")
    found = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["score"] for row in found} == {"Sentiment"}
    assert {row["item"] for row in found} == {row["id"] for row in csv.DictReader(ITEMS.open())}


def test_results_are_those_since_a_time(demo: Demo) -> None:
    """No result is older than the time that was asked for."""
    done = demo.run("scripts.results", "--since", "2126-01-01T00:00", "--json")
    assert json.loads(done.stdout) == []
    assert len(json.loads(demo.run("scripts.results", "--since", "1d", "--json").stdout)) >= 72


def test_an_unknown_score_is_an_error_with_those_there_are(demo: Demo) -> None:
    """The error names the scores of the stage."""
    done = demo.run("scripts.results", "--score", "Sentimnt")
    assert done.returncode == 1
    assert "there is no score 'Sentimnt'" in done.stderr
    assert all(key in done.stderr for key in ("mentions-refund", "problem", "sentiment"))
