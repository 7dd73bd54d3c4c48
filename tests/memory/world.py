"""A worker with tables, queues, a clock and jobs in memory."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import plexus
from handler.app import Clients, Runtime
from handler.clock import Clock
from handler.crash_points import Observer, ignore_step
from handler.scoring import Score
from handler.settings import Settings
from tests.memory import sqs
from tests.memory.dynamodb import MemoryDynamoDB
from tests.memory.sqs import MemorySQS
from tests.memory.wire import Wire

START = 1_800_000_000.0
CARD = """
name: Reviews
key: reviews
scores:
  - name: Refund
    key: refund
    class: KeywordClassifier
    keywords: [refund, money back]
"""


@dataclass(frozen=True)
class Context:
    """Lambda's context object."""

    remaining: float = 300.0
    aws_request_id: str = "request-1"
    function_version: str = "7"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return int(self.remaining * 1000)


class World:
    """One account with one scorecard of one score; `skip` advances time."""

    def __init__(self, folder: Path, *, attempts: int = 1, fifo: bool = False, bucket: str | None = None) -> None:
        self.time = START
        self.wire = Wire()
        self.dynamodb = MemoryDynamoDB(now=lambda: self.time)
        self.sqs = MemorySQS(lambda: self.time)
        self.objects: dict[str, bytes] = {}
        suffix = ".fifo" if fifo else ""
        self.dead_letters = self.sqs.create("dead" + suffix)
        self.requests = self.sqs.create("requests" + suffix, dead_letters="dead" + suffix, visibility=1800.0)
        self.responses = self.sqs.create("responses")
        self.settings = Settings(
            self.requests.url, self.responses.url, "acme", cache_dir=folder / "cache", artifact_bucket=bucket
        )
        self.output = io.StringIO()
        self.attempts = attempts
        self._clients: Clients | None = None
        self._seed()

    def _seed(self) -> None:
        put = self.dynamodb.put
        put("Account", id="account-1", name="Acme", key="acme")
        put("Account", id="account-2", name="Other", key="other")
        put("Scorecard", id="card-1", accountId="account-1", key="reviews", name="Reviews")
        put("Score", id="score-1", scorecardId="card-1", name="Refund", championVersionId="version-1")
        put("ScoreVersion", id="version-1", scoreId="score-1", configuration=CARD)

    def clients(self) -> Clients:
        """Return boto3 clients for this world, created once, since that is slow."""
        if self._clients is None:
            queues = self.wire.client("sqs", self.sqs, self.attempts)
            self._clients = Clients(
                dynamodb=self.wire.client("dynamodb", self.dynamodb, self.attempts),
                sqs=queues,
                long_poll=queues,
                s3=self.wire.s3(self.objects),
            )
        return self._clients

    def runtime(
        self,
        observe: Observer = ignore_step,
        score: Score = plexus.score,
        clock: Clock | None = None,
        secrets: tuple[str, ...] = (),
        **changed: Any,
    ) -> Runtime:
        """Return a new execution environment."""
        clock = clock or Clock(wall=lambda: self.time)
        created = Runtime(replace(self.settings, **changed), self.clients(), clock, observe, score, secrets)
        created.log = replace(created.log, stream=self.output)
        created.sweep.last = float("inf")  # asked for by the tests that are about it
        return created

    def job(self, number: int = 1, text: object = "I want a refund.", **changed: object) -> str:
        """Create a PENDING job with its item; returns its id."""
        job_id, item_id = f"job-{number}", f"item-{number}"
        self.dynamodb.put("Item", id=item_id, accountId="account-1", text=text)
        ids = {"accountId": "account-1", "itemId": item_id, "scorecardId": "card-1", "scoreId": "score-1"}
        self.dynamodb.put("ScoringJob", **{"id": job_id, "status": "PENDING", **ids, **changed})
        return job_id

    def send(self, *bodies: str, group: str | None = None, attributes: Mapping[str, Any] | None = None) -> None:
        """Send messages to the request queue."""
        for body in bodies:
            extra: dict[str, Any] = {"MessageAttributes": dict(attributes)} if attributes else {}
            extra |= {"MessageGroupId": group, "MessageDeduplicationId": f"{group}-{body}"} if group else {}
            self.sqs.call("SendMessage", {"QueueUrl": self.requests.url, "MessageBody": body, **extra})

    def send_jobs(self, *job_ids: str, group: str | None = None) -> None:
        """Send messages that name jobs."""
        self.send(*(json.dumps({"scoring_job_id": job_id}) for job_id in job_ids), group=group)

    def batch(self, runtime: Runtime, most: int = 10, context: Context | None = None) -> list[str]:
        """Receive, invoke and delete as an event source does; returns the ids of failed messages."""
        messages = self.sqs.receive(self.requests, most)
        handles = [message.handles[-1] for message in messages]
        if not messages:
            return []
        answer = runtime.handle(sqs.event(self.requests, messages), context or Context())
        failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        done = [handle for message, handle in zip(messages, handles, strict=True) if message.id not in failed]
        for start in range(0, len(done), 10):
            entries = [{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate(done[start : start + 10])]
            self.sqs.call("DeleteMessageBatch", {"QueueUrl": self.requests.url, "Entries": entries})
        return failed

    def invoke(self, runtime: Runtime, event: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Invoke directly; returns the status code and the body."""
        answer = runtime.handle(event or {}, Context())
        return answer["statusCode"], json.loads(answer["body"])

    def skip(self, seconds: float) -> None:
        """Advance time."""
        self.time += seconds

    def status(self, job_id: str) -> str:
        """Return a job's status."""
        return str(self.dynamodb.fields("ScoringJob", job_id)["status"])

    def sent_results(self) -> list[str]:
        """Return the ids in the response queue."""
        return [json.loads(body)["score_result_id"] for body in self.sqs.bodies("responses")]

    def reasons(self) -> list[str]:
        """Return the reasons in the dead-letter queue; empty for messages that SQS itself moved."""
        return [message.attributes.get("reason", {}).get("StringValue", "") for message in self.dead_letters.messages]

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the log."""
        return [json.loads(line) for line in self.output.getvalue().splitlines()]


def end_threads(runtime: Runtime) -> None:
    """Wait until the environment's threads have ended; it is not used afterwards."""
    worker = runtime.worker
    for threads in (worker.scores, worker.calls, worker.heartbeat.threads):
        threads.shutdown()


def scoring(function: Callable[[plexus.Item, plexus.Context], plexus.Result]) -> Score:
    """Return an engine that calls the test's own function."""

    def score(scorecard: object, name: str, item: plexus.Item, *, context: plexus.Context) -> plexus.Result:
        return function(item, context)

    return score
