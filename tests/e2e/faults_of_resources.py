"""Faults of the stacks' resources, each with the finding and the remedy that the doctor must print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e import faults_by_hand as by_hand
from tests.e2e.staged import Staged


@dataclass(frozen=True)
class Row:
    """A fault, the first finding that the doctor must print, and its remedy: a command line of make, as printed."""

    name: str
    fault: Callable[[Staged], object]
    check: str
    message: str
    remedy: str
    verdict: str = "fail"


INFRA = "make infra-deploy"
ROWS = [
    *(
        Row(f"table {name} deleted", by_hand.deleted_table(name), "resources", f"deleted: Table local-{name}", INFRA)
        for name in ("ScoringJob", "ScoreResult", "Item", "Score", "Outbox")
    ),
    *(
        Row(f"{name} queue deleted", by_hand.deleted_queue(name), "resources", "deleted: Queue plexus-scoring-", INFRA)
        for name in ("request", "response", "request_dead_letters", "response_dead_letters")
    ),
    Row(
        "event source deleted",
        by_hand.delete_by("lambda", "delete_event_source_mapping", UUID=lambda stage: by_hand.mapping(stage)["UUID"]),
        "resources",
        "deleted: EventSourceMapping",
        INFRA,
    ),
    Row(
        "log group deleted",
        by_hand.delete_by("logs", "delete_log_group", logGroupName=lambda stage: stage.aws.stage.log_group),
        "resources",
        "deleted: LogGroup /aws/lambda/",
        INFRA,
    ),
    Row(
        "bucket deleted",
        by_hand.delete_by("s3", "delete_bucket", Bucket=lambda stage: stage.aws.stage.bucket),
        "resources",
        "deleted: Bucket plexus-score-processor-artifacts-local",
        INFRA,
    ),
    Row(
        "model of a champion version deleted",
        by_hand.deleted_artifact,
        "artifacts",
        "deleted from bucket plexus-score-processor-artifacts-local: abababababab of Reason$",
        "make artifacts",
    ),
    Row(
        "alarm deleted",
        by_hand.delete_by("cloudwatch", "delete_alarms", AlarmNames=["plexus-score-processor-lambda-errors"]),
        "resources",
        "deleted: Alarm plexus-score-processor-lambda-errors",
        INFRA,
        "warn",
    ),
    Row(
        "topic of the alarms deleted",
        by_hand.delete_by(
            "sns", "delete_topic", TopicArn=lambda stage: stage.aws.client("sns").list_topics()["Topics"][0]["TopicArn"]
        ),
        "resources",
        "deleted: Topic plexus-score-processor-lambda-alarms",
        INFRA,
        "warn",
    ),
    Row("stack deleted", by_hand.deleted_stack, "resources", "deleted: stack local-queues", INFRA),
    Row(
        "alias deleted",
        by_hand.delete_by("lambda", "delete_alias", FunctionName=lambda stage: stage.function, Name="live"),
        "resources",
        "deleted: Alias live",
        INFRA,
    ),
    Row(
        "function deleted",
        by_hand.delete_by("lambda", "delete_function", FunctionName=lambda stage: stage.function),
        "resources",
        "deleted: Function plexus-score-processor-lambda, Alias live",
        r"make infra-deploy rollback TO=[0-9a-f]{12}",
    ),
    Row(
        "role policy deleted",
        by_hand.delete_by("iam", "delete_role_policy", RoleName=by_hand.role, PolicyName="worker"),
        "role",
        "policy worker: got absent, expected present",
        INFRA,
    ),
    Row("role has another policy", by_hand.another_policy, "role", "policy more: got present, expected absent", INFRA),
    Row("role policy widened", by_hand.widened_policy, "role", "statement TakeRequests: got .*sqs:\\*", INFRA),
    Row(
        "visibility below the timeout",
        by_hand.queue_attributes("request", VisibilityTimeout="10"),
        "visibility",
        "10 s for a function timeout of 300 s: running jobs are redelivered",
        INFRA,
    ),
    Row(
        "visibility too short",
        by_hand.queue_attributes("request", VisibilityTimeout="400"),
        "visibility",
        "400 s for a function timeout of 300 s, expected 1800 s",
        INFRA,
        "warn",
    ),
    *(
        Row(
            f"{name} queue without dead-letter queue",
            by_hand.queue_attributes(name, RedrivePolicy=""),
            "dead letters",
            "got dead-letter queue none, expected plexus-scoring-",
            INFRA,
        )
        for name in ("request", "response")
    ),
    Row("event source disabled", by_hand.mapping_changed(Enabled=False), "event source", "enabled: got False", INFRA),
    Row(
        "batch size changed",
        by_hand.mapping_changed(BatchSize=3),
        "event source",
        "batch size: got 3, expected 10",
        INFRA,
    ),
    Row(
        "concurrency of the event source changed",
        by_hand.mapping_changed(ScalingConfig={"MaximumConcurrency": 2}),
        "event source",
        "maximum concurrency: got 2, expected 10",
        INFRA,
    ),
    Row(
        "tags mutable",
        by_hand.delete_by(
            "ecr",
            "put_image_tag_mutability",
            repositoryName=lambda stage: stage.aws.stage.repository,
            imageTagMutability="MUTABLE",
        ),
        "repository",
        "tags are mutable",
        INFRA,
        "warn",
    ),
]
