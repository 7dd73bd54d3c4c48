"""`enqueue` and `results` on the stage of the demo."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.aws import event_source, queues
from scripts.aws.clients import Aws, create_clients
from scripts.aws.stage import load_stage
from tests.e2e.conftest import ROOT, Demo

ITEMS = ROOT / "examples" / "items" / "items.csv"
SCORE = ("--score", "Mentions Refund")


@pytest.fixture
def aws(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Yield the demo's stage with the event source disabled, so that jobs stay PENDING."""
    monkeypatch.setenv("LOCAL_AWS_NAME", demo.name)
    stage = create_clients(load_stage("local"))
    event_source.switch_event_source(stage, enabled=False)
    request = stage.queue_url(stage.stage.queues.request)
    stage.client("sqs").purge_queue(QueueUrl=request)
    yield stage
    stage.client("sqs").purge_queue(QueueUrl=request)
    event_source.switch_event_source(stage, enabled=True)


def enqueue(demo: Demo, *words: str) -> dict[str, object]:
    """Run the command with --json; return its result."""
    done = demo.run("enqueue", *words, "--json")
    assert done.returncode == 0, done.stderr
    output: dict[str, object] = json.loads(done.stdout)
    return output


def test_the_same_run_again_sends_only_what_is_pending(demo: Demo, aws: Aws, tmp_path: Path) -> None:
    """Repeating a run sends the two PENDING jobs and reports the completed one."""
    items = tmp_path / "items.csv"
    items.write_text("id,text\na,One refund.\nb,Two.\nc,Three.\n")
    assert enqueue(demo, str(items), *SCORE, "--run", "again")["jobs"] == 3
    done = demo.run("invoke", "{}")
    assert done.returncode == 0, done.stderr
    assert (again := enqueue(demo, str(items), *SCORE, "--run", "again"))["jobs"] == 2
    assert again["passed"] == {"COMPLETED": 1}


def test_a_file_of_jobs_sends_those_that_are_pending(demo: Demo, aws: Aws, tmp_path: Path) -> None:
    """A completed job is reported and not sent; an absent job is an error, and nothing is sent."""
    done = demo.run("results", *SCORE, "--limit", "1", "--json")
    (result,) = json.loads(done.stdout)
    jobs = tmp_path / "jobs.csv"
    jobs.write_text(f"scoring_job_id\n{result['scoringJobId']}\n")
    assert enqueue(demo, str(jobs))["passed"] == {"COMPLETED": 1}
    jobs.write_text(f"scoring_job_id\n{result['scoringJobId']}\nnobody\n")
    refused = demo.run("enqueue", str(jobs))
    assert refused.returncode == 1
    assert "1 of 2 jobs do not exist in stage local:\n  - nobody" in refused.stderr


def test_a_text_that_no_record_holds_is_scored(demo: Demo, aws: Aws, tmp_path: Path) -> None:
    """A text of 400 kB is stored in the bucket, and scored to its end."""
    items = tmp_path / "large.jsonl"
    items.write_text(json.dumps({"id": "large", "text": "ü" * 200_000 + " refund"}))
    assert enqueue(demo, str(items), *SCORE)["jobs"] == 1
    done = demo.run("invoke", "{}")
    assert done.returncode == 0, done.stderr
    results = json.loads(demo.run("results", *SCORE, "--json").stdout)
    assert [one["value"] for one in results if one["item"] == "large"] == ["Yes"]


def test_a_job_without_a_status_is_told(demo: Demo, aws: Aws, tmp_path: Path) -> None:
    """A job without a status is reported and not sent."""
    aws.client("dynamodb").put_item(TableName=aws.stage.table("ScoringJob"), Item={"id": {"S": "bare"}})
    (tmp_path / "jobs.csv").write_text("scoring_job_id\nbare\n")
    output = enqueue(demo, str(tmp_path / "jobs.csv"))
    assert (output["jobs"], output["passed"]) == (0, {"without a status": 1})


def test_a_dry_run_sends_nothing(demo: Demo, aws: Aws) -> None:
    """A dry run prints the number of jobs, and sends none."""
    output = enqueue(demo, str(ITEMS), *SCORE, "--dry-run")
    assert (output["jobs"], output["action"]) == (24, "would send")
    assert queues.count_messages(aws, aws.queue_url(aws.stage.queues.request)) == 0


def test_results_are_those_of_a_score_as_csv(demo: Demo) -> None:
    """--csv prints a row for each result of the score, with the item's external id."""
    done = demo.run("results", "--scorecard", "reviews", "--score", "sentiment", "--csv")
    result = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["score"] for row in result} == {"Sentiment"}
    assert {row["item"] for row in result} == {row["id"] for row in csv.DictReader(ITEMS.open())}


def test_results_are_those_since_a_time(demo: Demo) -> None:
    """--since excludes older results."""
    done = demo.run("results", "--since", "2126-01-01T00:00", "--json")
    assert json.loads(done.stdout) == []
    assert len(json.loads(demo.run("results", "--since", "1d", "--json").stdout)) >= 72


def test_an_unknown_score_is_an_error_with_those_there_are(demo: Demo) -> None:
    """An unknown score is an error that lists the existing ones."""
    done = demo.run("results", "--score", "Sentimnt")
    assert done.returncode == 1
    assert "has no score 'Sentimnt'" in done.stderr
    assert all(key in done.stderr for key in ("mentions-refund", "problem", "sentiment"))
