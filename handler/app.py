"""The function: `lambda_handler(event, context)`, and what an execution environment keeps between invocations."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

import boto3

import plexus
from handler import aws, batch, metrics, redact, references, settings, subsegments, tracing
from handler.batch import Outcome
from handler.catalogue import Catalogue
from handler.clock import Clock, Deadline
from handler.exceptions import HandlerError
from handler.logs import Log
from handler.objects import Objects
from handler.queues import Queues
from handler.receiving import Answer, Receiving, answer
from handler.scoring import Score, Scoring
from handler.settings import Settings
from handler.settling import Settling
from handler.steps import Observer, unobserved
from handler.store import Store
from handler.subsegments import Trace
from handler.sweep import Sweep
from handler.worker import Worker

DEFAULT_REGION = "us-west-2"


class LambdaContext(Protocol):
    """What is used of Lambda's context."""

    @property
    def aws_request_id(self) -> str:
        """The invocation's id."""
        ...

    @property
    def function_version(self) -> str:
        """The version that runs, `$LATEST` where none was published."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        ...


@dataclass(frozen=True)
class Clients:
    """boto3's clients; S3 and the long poll are made when they are first used."""

    dynamodb: Any
    sqs: Any
    long_poll: Any
    s3: Any

    @classmethod
    def create(cls, session: Any) -> "Clients":
        """Those of a boto3 session."""
        return cls(
            dynamodb=aws.client(session, "dynamodb"),
            sqs=aws.client(session, "sqs"),
            long_poll=aws.Deferred(lambda: aws.client(session, "sqs", long_poll=True)),
            s3=aws.Deferred(lambda: aws.client(session, "s3")),
        )


class Runtime:
    """The warm state: clients, account, compiled scorecards; made once, used by every invocation."""

    def __init__(
        self,
        chosen: Settings,
        clients: Clients,
        clock: Clock | None = None,
        observe: Observer = unobserved,
        score: Score = plexus.score,
        hidden: tuple[str, ...] = (),
    ):
        self.clock = clock or Clock()
        self.settings = chosen
        self.log = Log(chosen.log_level, clock=self.clock)
        self.store = Store(clients.dynamodb, chosen.table_prefix)
        self.queues = Queues(
            clients.sqs,
            clients.long_poll,
            chosen.request_queue_url,
            chosen.response_queue_url,
            chosen.dead_letter_queue_url,
        )
        objects = Objects(clients.s3, chosen.artifact_bucket)
        catalogue = Catalogue(chosen.cache_dir / "versions", lambda text, name: plexus.load(text, name=name))
        artifacts = None
        if chosen.artifact_bucket:
            from plexus.artifacts import S3Artifacts

            artifacts = S3Artifacts(clients.s3, chosen.artifact_bucket, chosen.cache_dir)
        scoring = Scoring(self.store, objects, catalogue, score, self.clock.timestamp, artifacts)
        hidden = (*hidden, *redact.secrets(os.environ))
        settling = Settling(self.store, self.queues, chosen, self.clock, observe, hidden)
        self.worker = Worker(
            self.store, self.queues, scoring, settling, chosen, self.clock, observe, self.log, self.account_id
        )
        self.receiving = Receiving(self.worker, self.queues, chosen, observe, self.tell)
        self.sweep = Sweep(self.store, self.queues, self.clock, observe, self.log)
        self.daemon = subsegments.daemon(os.environ)
        self._account_id: str | None = None
        self._lock = Lock()
        self._cold = True

    def account_id(self) -> str:
        """The id of this worker's account, looked up once."""
        with self._lock:
            if self._account_id is None:
                self._account_id = self.store.account_id(self.settings.account_key)
            return self._account_id

    def handle(self, event: Any, context: LambdaContext) -> Answer:
        """Dispatch by the event's shape."""
        trace = Trace(tracing.parse(os.environ.get(tracing.INVOCATION)), self.daemon, self.clock)
        self.worker.trace = trace
        self.bind(aws_request_id=context.aws_request_id, trace_id=trace.trace_id)
        ends = self.clock.monotonic() + context.get_remaining_time_in_millis() / 1000
        deadline = Deadline(self.clock, ends, self.settings.reserve)
        source = event.get("source") if isinstance(event, Mapping) else None
        if source == "smoke":
            revision = os.environ.get("PLEXUS_REVISION", "unknown")
            return answer(200, message="ready", revision=revision, function_version=context.function_version)
        if source == "sweep":
            return answer(200, message="swept", sent=self.sweep.run())
        result = self._work(event, source, deadline)
        self.sweep.when_due(deadline)
        return result

    def bind(self, **fields: object) -> None:
        """Fields that every line of this invocation's log carries."""
        self.log = self.log.bind(**fields)
        self.worker.log = self.sweep.log = self.log

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """The invocation's metrics, in its log."""
        wall = self.clock.wall()
        counted = metrics.of(outcomes, wall, self._cold)
        self._cold = False
        function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "host")
        self.log.raw(metrics.line(counted, function_name, wall, self.worker.trace.trace_id))

    def _work(self, event: Any, source: object, deadline: Deadline) -> Answer:
        if batch.is_batch(event):
            deliveries = batch.deliveries(event)
            outcomes = self.worker.work(deliveries, deadline)
            self.tell(outcomes)
            return batch.answer(deliveries, outcomes)
        if source == "fanout":
            return self.receiving.fan_out(event, deadline)
        return self.receiving.poll(deadline)


_runtime: Runtime | None = None


def runtime() -> Runtime:
    """The environment's warm state, made by the first invocation; raises `HandlerError`.

    Secrets that variables name by their ARN are read here, before anything could need them.
    """
    global _runtime
    if _runtime is None:
        chosen = settings.load(os.environ)
        os.environ.setdefault("SCORECARD_CACHE_DIR", str(chosen.cache_dir))
        with aws.calling("prepare the calls to AWS"):  # a profile that is not there, on a host
            session = boto3.session.Session(region_name=os.environ.get("AWS_REGION", DEFAULT_REGION))
        hidden = references.resolve(os.environ, lambda service, region: aws.client(session, service, region=region))
        _runtime = Runtime(chosen, Clients.create(session), hidden=hidden)
    return _runtime


def lambda_handler(event: Any, context: LambdaContext) -> Answer:
    """Lambda's entry. A failed batch raises, so that all of it comes back; a direct invocation is told why."""
    try:
        return runtime().handle(event, context)
    except HandlerError as error:
        reason = redact.reason(error, True, redact.secrets(os.environ))
        log = Log().bind(aws_request_id=context.aws_request_id)
        trace_id = tracing.trace_id(os.environ.get(tracing.INVOCATION))
        log.error("the invocation failed", error=reason, trace_id=trace_id)
        if batch.is_batch(event):
            raise
        return answer(500, message="the invocation failed", error=reason, processed=False)
