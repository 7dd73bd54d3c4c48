"""Write the records of `examples/original` to a stage's tables and queues, as the original would have left them."""

import csv
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from scripts.aws import dynamodb
from scripts.aws.clients import Aws
from scripts.jobs.seeding import find_account_id
from tests.e2e.conftest import ROOT

FOLDER = ROOT / "examples" / "original"
KEY = "returns-desk"
DEAD_JOB, RETRIED_JOB = "returns-desk-job-10", "returns-desk-job-25"
FAILED_JOBS = (DEAD_JOB, RETRIED_JOB)
SECONDS = 7.5  # of each of its jobs


def create(aws: Aws, **more: Any) -> None:
    """Write scorecard, score, version, items, jobs and results, and the messages of the failed jobs.

    Each result has the fields `more`, too.
    """
    account, now = find_account_id(aws), datetime.now(UTC).isoformat()
    results = list(map(json.loads, (FOLDER / "results.jsonl").read_text().splitlines()))
    card = {"id": KEY, "accountId": account, "key": KEY, "name": "Returns desk", "externalId": "77"}
    score = {"id": f"{KEY}-score", "scorecardId": KEY, "name": "Asks for Refund", "key": "asks-for-refund"}
    _put(aws, "Scorecard", card)
    _put(aws, "Score", score | {"externalId": "41027", "championVersionId": f"{KEY}-version", "isDisabled": False})
    configuration = (FOLDER / "refund.yaml").read_text()
    _put(aws, "ScoreVersion", {"id": f"{KEY}-version", "scoreId": f"{KEY}-score", "configuration": configuration})
    with (ROOT / "examples" / "items" / "items.csv").open() as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            _put_job(aws, account, f"{number:02d}", row, now)
    again = {"id": "r10", "text": "I have written five mails and want a refund."}
    _put_job(aws, account, RETRIED_JOB[-2:], again, now)
    for result in results:
        number = result["itemId"].removeprefix("item-")
        ids = {"id": f"{KEY}-{result['id']}", "itemId": f"{KEY}-item-{number}", "scoringJobId": f"{KEY}-job-{number}"}
        parents = {"accountId": account, "scorecardId": KEY, "scoreId": f"{KEY}-score", "createdAt": now}
        fields = {name: value for name, value in result.items() if name != "score"}
        _put(aws, "ScoreResult", fields | ids | parents | {"metadata": json.loads(result["metadata"]), **more})
    queues = aws.stage.queues
    for queue, job in ((queues.request_dead_letters, DEAD_JOB), (queues.request, RETRIED_JOB)):
        body = json.dumps({"scoring_job_id": job})
        aws.client("sqs").send_message(QueueUrl=aws.queue_url(queue), MessageBody=body)


def remove(aws: Aws) -> None:
    """Delete every record of the scorecard, so that other tests find the stage as it was."""
    for table in ("Scorecard", "Score", "ScoreVersion", "Item", "ScoringJob", "ScoreResult"):
        ids = [record["id"] for record in dynamodb.scan(aws, table) if KEY in json.dumps(record, default=str)]
        for identity in ids:
            aws.client("dynamodb").delete_item(TableName=aws.stage.table(table), Key={"id": {"S": identity}})


def _put_job(aws: Aws, account: str, number: str, row: dict[str, str], now: str) -> None:
    """Write an item and its job: completed, or failed as the original leaves a job that it could not score."""
    item, job = f"{KEY}-item-{number}", f"{KEY}-job-{number}"
    metadata = json.dumps({"source": json.dumps("phone")})
    head = {"id": item, "accountId": account, "externalId": row["id"], "isEvaluation": False, "createdAt": now}
    _put(aws, "Item", head | {"text": row["text"], "metadata": metadata})
    parents = {"accountId": account, "scorecardId": KEY, "scoreId": f"{KEY}-score", "itemId": item}
    completed = (datetime.fromisoformat(now) + timedelta(seconds=SECONDS)).isoformat()
    times = {"createdAt": now, "updatedAt": now, "startedAt": now, "completedAt": completed}
    status = {"status": "FAILED", "errorMessage": "timed out"} if job in FAILED_JOBS else {"status": "COMPLETED"}
    _put(aws, "ScoringJob", {"id": job, **parents, **times, **status})


def _put(aws: Aws, table: str, record: dict[str, Any]) -> None:
    serialize = TypeSerializer().serialize
    item = {name: serialize(value) for name, value in record.items()}
    aws.client("dynamodb").put_item(TableName=aws.stage.table(table), Item=item)
