"""Three ways to do one scoring job for bench/worker.py: the least possible, Powertools' idempotency, and our worker.

Each is a function of an SQS event and of clients whose calls and bytes are counted. All score by the same keyword
score of the same scorecard, and read, write, send and delete on the same local AWS.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCORE = "Mentions Refund"
IDEMPOTENCY = "bench-idempotency"
Handle = Callable[[dict[str, Any]], set[str]]  # event → ids of the messages that must come back


@dataclass
class Count:
    """AWS calls, the bytes of their bodies in both directions, and each call's (processor time here, all its time)."""

    calls: int = 0
    sent: int = 0
    received: int = 0
    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    begun: Any = field(default_factory=threading.local)

    def watch(self, client: Any) -> Any:
        """Count a client's calls, every attempt, and return the client."""
        client.meta.events.register("before-send", self._count_sent)
        client.meta.events.register("response-received", self._count_received)
        client.meta.events.register_first("provide-client-params", self._begin)
        client.meta.events.register_last("after-call", self._end)
        return client

    def totals(self) -> tuple[int, int, int]:
        """Return (calls, bytes sent, bytes received)."""
        return self.calls, self.sent, self.received

    def _begin(self, **_: Any) -> None:
        self.begun.at = time.thread_time(), time.perf_counter()

    def _end(self, model: Any, **_: Any) -> None:
        here, began = self.begun.at
        self.seconds[model.name].append((time.thread_time() - here, time.perf_counter() - began))

    def _count_sent(self, request: Any, **_: Any) -> None:
        self.calls += 1
        self.sent += len(request.body or b"")

    def _count_received(self, response_dict: Mapping[str, Any] | None, **_: Any) -> None:
        self.received += len((response_dict or {}).get("body", b""))


@dataclass
class Stage:
    """The stage that the contestants work on: clients, names, the scorecard."""

    endpoint: str
    region: str
    prefix: str
    request_url: str
    response_url: str
    account_key: str
    card: Any
    count: Count = field(default_factory=Count)

    def client(self, service: str) -> Any:
        """Return a counted client, configured as the worker's."""
        import boto3

        from handler import aws

        session: Any = boto3.session.Session("test", "test", region_name=self.region)
        return self.count.watch(session.client(service, endpoint_url=self.endpoint, config=aws.configure_client()))

    def score(self, text: str) -> str:
        """Return the keyword score's value."""
        import plexus

        return plexus.score(self.card, SCORE, plexus.Item(text)).value


def bodies(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (message id, scoring job id) of each record."""
    return [(one["messageId"], json.loads(one["body"])["scoring_job_id"]) for one in event["Records"]]


def read(stage: Stage, dynamodb: Any, job_id: str) -> str:
    """Return the text of a job's item, in two reads."""
    job = dynamodb.get_item(TableName=stage.prefix + "ScoringJob", Key={"id": {"S": job_id}})["Item"]
    item = dynamodb.get_item(TableName=stage.prefix + "Item", Key={"id": job["itemId"]})["Item"]
    return str(item["text"]["S"])


def put(stage: Stage, dynamodb: Any, job_id: str, result: str, text: str) -> None:
    """Write a result with the fewest attributes."""
    record = {"id": {"S": result}, "scoringJobId": {"S": job_id}, "value": {"S": stage.score(text)}}
    dynamodb.put_item(TableName=stage.prefix + "ScoreResult", Item=record)


def send(stage: Stage, sqs: Any, result: str) -> None:
    """Send the response."""
    sqs.send_message(QueueUrl=stage.response_url, MessageBody=json.dumps({"score_result_id": result}))


def floor(stage: Stage, threads: int) -> Handle:
    """Return a bare loop: read job and item, write a result, respond; duplicates and failures are not handled."""
    dynamodb, sqs = stage.client("dynamodb"), stage.client("sqs")
    pool = ThreadPoolExecutor(threads)

    def score_job(job_id: str) -> None:
        result = uuid.uuid4().hex
        put(stage, dynamodb, job_id, result, read(stage, dynamodb, job_id))
        send(stage, sqs, result)

    def handle(event: dict[str, Any]) -> set[str]:
        list(pool.map(score_job, [job for _, job in bodies(event)]))
        return set()

    return handle


def powertools(stage: Stage) -> Handle:
    """Return Powertools' batch processor with its idempotency layer, which stores a lock and an answer for each job."""
    os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "bench")
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
    from aws_lambda_powertools.utilities.idempotency import (
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
        idempotent_function,
    )

    dynamodb, sqs = stage.client("dynamodb"), stage.client("sqs")
    layer = DynamoDBPersistenceLayer(IDEMPOTENCY, boto3_client=dynamodb)
    config = IdempotencyConfig(expires_after_seconds=3600)
    processor = BatchProcessor(event_type=EventType.SQS)

    # Powertools gives this decorator no types.
    @idempotent_function(data_keyword_argument="job_id", persistence_store=layer, config=config)  # type: ignore[untyped-decorator]
    def effect(job_id: str) -> str:
        result = uuid.uuid5(uuid.NAMESPACE_OID, job_id).hex
        put(stage, dynamodb, job_id, result, read(stage, dynamodb, job_id))
        complete(stage, dynamodb, job_id)
        send(stage, sqs, result)
        return result

    def record(record: Any) -> None:
        effect(job_id=json.loads(record.body)["scoring_job_id"])

    def handle(event: dict[str, Any]) -> set[str]:
        context: Any = Context()
        config.register_lambda_context(context)
        answer = process_partial_response(event=event, record_handler=record, processor=processor, context=context)
        return {str(one["itemIdentifier"]) for one in answer["batchItemFailures"]}

    return handle


def complete(stage: Stage, dynamodb: Any, job_id: str) -> None:
    """Set a job's status to COMPLETED, whatever it was."""
    dynamodb.update_item(
        TableName=stage.prefix + "ScoringJob",
        Key={"id": {"S": job_id}},
        UpdateExpression="SET #status = :completed",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":completed": {"S": "COMPLETED"}},
    )


def ours(stage: Stage) -> Handle:
    """Return the worker as the function runs it: claim, read, score, commit, respond."""
    from handler.app import Clients, Runtime
    from handler.settings import Settings
    from handler.tables import Tables

    worker_settings = Settings(
        stage.request_url,
        stage.response_url,
        stage.account_key,
        tables=Tables(stage.prefix),
        cache_dir=Path(tempfile.mkdtemp(prefix="bench-worker-")),
    )
    sqs = stage.client("sqs")
    runtime = Runtime(worker_settings, Clients(stage.client("dynamodb"), sqs, sqs, stage.client("s3")))
    runtime.sweep.last = float("inf")  # at most once a minute, whatever the number of jobs: not a cost of one

    def handle(event: dict[str, Any]) -> set[str]:
        with Path(os.devnull).open("w", encoding="utf-8") as log, redirect_stdout(log):
            answer = runtime.handle(event, Context())
        return {one["itemIdentifier"] for one in answer["batchItemFailures"]}

    return handle


class Context:
    """The context of an invocation with five minutes left."""

    aws_request_id = "bench"
    function_version = "1"
    function_name = "bench"
    memory_limit_in_mb = 2048
    invoked_function_arn = "arn:aws:lambda:us-west-2:000000000000:function:bench"

    def get_remaining_time_in_millis(self) -> int:
        """Return five minutes."""
        return 300_000
