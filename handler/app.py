"""The Lambda function: `lambda_handler(event, context)`, and the state that an execution environment keeps warm."""

import gc
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import boto3

import plexus
from handler import (
    aws,
    direct_invocation,
    events,
    metrics,
    original_metrics,
    redact,
    secret_references,
    sqs_event,
    subsegments,
)
from handler.clock import Clock, Deadline
from handler.crash_points import Observer, ignore_step
from handler.direct_invocation import DirectInvocation, LambdaResponse
from handler.events import Shape
from handler.exceptions import HandlerError, UnknownEvent
from handler.failures import FailureHandler
from handler.invocation import Account, Invocation
from handler.large_fields import LargeFields
from handler.logs import Log
from handler.original_form import OriginalForm
from handler.outcome import MessageOutcome
from handler.queues import Queues
from handler.scorecard_cache import ScorecardCache
from handler.scoring import Score, Scoring
from handler.settings import Settings
from handler.settings import load as load_settings
from handler.shadow import Shadow
from handler.store import Store
from handler.subsegments import Trace
from handler.sweep import Sweep
from handler.tracing_header import INVOCATION, parse, parse_trace_id
from handler.worker import Worker
from plexus import environment, tracing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from plexus.artifacts import Artifacts

DEFAULT_REGION = "us-west-2"
DEFAULT_MEMORY_MB = 2048  # on a host, where Lambda's AWS_LAMBDA_FUNCTION_MEMORY_SIZE is not set


class LambdaContext(Protocol):
    """The part of Lambda's context object that the worker uses."""

    @property
    def aws_request_id(self) -> str:
        """The id of the invocation."""
        ...

    @property
    def function_version(self) -> str:
        """The published version that runs, or `$LATEST`."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""
        ...


@dataclass(frozen=True)
class Clients:
    """The boto3 clients. Those for S3 and for long polls are created on first use."""

    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    long_poll: "SQSClient"
    s3: "S3Client"

    @classmethod
    def create(cls, session: boto3.session.Session) -> "Clients":
        """Create the clients of a boto3 session."""
        return cls(
            dynamodb=aws.create_client(session, "dynamodb"),
            sqs=aws.create_client(session, "sqs"),
            long_poll=aws.create_lazy_client(lambda: aws.create_client(session, "sqs", long_poll=True)),
            s3=aws.create_lazy_client(lambda: aws.create_client(session, "s3")),
        )


class Runtime:
    """The warm state of an execution environment: clients, the account's id, compiled scorecards.

    Created once and used by every invocation. Whatever belongs to one invocation is in its `Invocation`.
    """

    def __init__(
        self,
        settings: Settings,
        clients: Clients,
        clock: Clock | None = None,
        observe: Observer = ignore_step,
        score: Score = plexus.score,
        secrets: tuple[str, ...] = (),
    ):
        self.clock = clock or Clock()
        self.settings = settings
        self.log = Log(settings.log_level, clock=self.clock)
        expire_after = settings.expire_after_days * 86400
        self.store = Store(clients.dynamodb, settings.tables, wall=self.clock.wall, expire_after=expire_after)
        self.account = Account(self.store, settings.account_key)
        self.queues = Queues(
            clients.sqs,
            clients.long_poll,
            settings.request_queue_url,
            settings.response_queue_url,
            settings.dead_letter_queue_url,
        )
        secrets = (*secrets, *redact.find_secret_values(os.environ))
        failures = FailureHandler(self.store, self.queues, settings, self.clock, observe, secrets)
        scoring = self._scoring(clients, score)
        self.worker = Worker(self.store, self.queues, scoring, failures, settings, self.clock, observe)
        self.shadow = Shadow(self.store, scoring, secrets)
        self.direct = DirectInvocation(self.worker, self.queues, settings, observe)
        self.sweep = Sweep(self.store, self.queues, self.clock, observe)
        self.daemon = subsegments.find_daemon(os.environ)
        self._cold = True

    def handle(self, event: Any, context: LambdaContext) -> LambdaResponse:
        """Process an event according to its shape, and return Lambda's response.

        Raises `UnknownEvent` before any call, and another `HandlerError` if the invocation as a whole fails; the errors
        of single jobs are in the response.
        """
        shape = events.recognize_shape(event)
        invocation = self._begin(context)
        if shape is Shape.SMOKE:
            revision, version = os.environ.get("PLEXUS_REVISION", "unknown"), context.function_version
            return direct_invocation.create_response(200, message="ready", revision=revision, function_version=version)
        if shape is Shape.SWEEP:
            return direct_invocation.create_response(200, message="swept", sent=self.sweep.run(invocation))
        if shape is Shape.SHADOW:
            return self.shadow.run(event, invocation)
        response, outcomes = self._process(event, shape, invocation)
        if outcomes:
            self._log_metrics(outcomes, invocation)
        self.sweep.run_if_due(invocation)
        return response

    def _begin(self, context: LambdaContext) -> Invocation:
        allotted = context.get_remaining_time_in_millis() / 1000
        deadline = Deadline(self.clock, self.clock.monotonic() + allotted, self.settings.reserve, allotted)
        trace = Trace(parse(os.environ.get(INVOCATION)), self.daemon, self.clock)
        log = self.log.bind(aws_request_id=context.aws_request_id, trace_id=trace.trace_id)
        return Invocation(deadline, log, trace, self.account)

    def _process(self, event: Any, shape: Shape, invocation: Invocation) -> tuple[LambdaResponse, list[MessageOutcome]]:
        if shape.is_batch:
            messages = sqs_event.parse_messages(events.read_records(event))
            outcomes = self.worker.process(messages, invocation)
            return sqs_event.create_batch_response(messages, outcomes), outcomes
        if shape is Shape.FAN_OUT:
            return self.direct.fan_out(event, invocation)
        if shape is Shape.JOB:
            return self.direct.run_job(event, invocation)
        return self.direct.poll(invocation)

    def _log_metrics(self, outcomes: Sequence[MessageOutcome], invocation: Invocation) -> None:
        """Write the invocation's metrics to its log."""
        wall = self.clock.wall()
        collected = metrics.collect(outcomes, wall, self._cold)
        self._cold = False
        function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "host")
        invocation.log.raw(metrics.format_line(collected, function_name, wall, invocation.trace.trace_id))
        if self.settings.original_metrics:
            for line in original_metrics.format_lines(outcomes, self.settings.environment, wall):
                invocation.log.raw(line)

    def _scoring(self, clients: Clients, score: Score) -> Scoring:
        settings = self.settings
        scorecards = ScorecardCache(settings.cache_dir / "versions", lambda text, name: plexus.load(text, name=name))
        artifacts = _artifacts(settings, clients)
        large_fields = LargeFields(clients.s3, settings.artifact_bucket)
        traced = settings.external_tracing
        attachments = LargeFields(clients.s3, settings.attachment_bucket)
        form = OriginalForm(attachments) if settings.tables.suffix else None
        return Scoring(self.store, large_fields, scorecards, score, self.clock.timestamp, artifacts, traced, form)


def _artifacts(settings: Settings, clients: Clients) -> "Artifacts | None":
    """Return the store of models; None without a bucket."""
    if not settings.artifact_bucket:
        return None
    from plexus.artifacts import S3Artifacts

    return S3Artifacts(clients.s3, settings.artifact_bucket, settings.cache_dir)


def _create_engine(settings: Settings, clients: Clients) -> Score:
    """Return a `plexus.score` that runs in child processes, which can be killed.

    The children are forked, so they share the memory of every module that this process has imported by now.
    """
    from plexus.isolation.children import Children, choose_limits

    megabytes = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or DEFAULT_MEMORY_MB)
    return Children(_artifacts(settings, clients), choose_limits(megabytes)).score


_runtime: Runtime | None = None


def create_runtime() -> Runtime:
    """Return the environment's warm state, created by the first call; raises `HandlerError`.

    Secrets that the environment references by ARN are read here, before any code can need them.
    """
    global _runtime
    if _runtime is None:
        settings = load_settings(os.environ)
        if not settings.external_tracing:
            tracing.remove_variables(os.environ)
        os.environ.setdefault("SCORECARD_CACHE_DIR", str(settings.cache_dir))
        with aws.calling("prepare the calls to AWS"):  # on a host, AWS_PROFILE may name a missing profile
            session = boto3.session.Session(region_name=os.environ.get("AWS_REGION", DEFAULT_REGION))
        secrets = secret_references.resolve(
            os.environ, lambda service, region: aws.create_client(session, service, region=region)
        )
        adopted = environment.adopt(os.environ)
        clients = Clients.create(session)
        _runtime = Runtime(settings, clients, score=_create_engine(settings, clients), secrets=secrets)
        gc.freeze()  # a full collection would stop an invocation for as long as it takes to visit all modules
        if adopted:
            _runtime.log.info("variables of the original are read under another name", names=adopted)
        if unread := environment.list_without_effect(os.environ):
            _runtime.log.info("variables of the original have no effect", names=unread)
    return _runtime


def lambda_handler(event: Any, context: LambdaContext) -> LambdaResponse:
    """Handle one invocation; this is the entry point that the image names.

    A batch that fails as a whole raises, so that all of it is delivered again, and so does an event of an unknown
    shape, whose sender would take an answer for success. A direct invocation is answered with a 500 and the reason.
    """
    try:
        return create_runtime().handle(event, context)
    except HandlerError as error:
        reason = redact.describe_error(error, True, redact.find_secret_values(os.environ))
        log = Log().bind(aws_request_id=context.aws_request_id)
        log.error("the invocation failed", error=reason, trace_id=parse_trace_id(os.environ.get(INVOCATION)))
        if isinstance(error, UnknownEvent) or events.recognize_shape(event).is_batch:
            raise
        return direct_invocation.create_response(500, message="the invocation failed", error=reason, processed=False)
