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
        "index of a table deleted",
        by_hand.delete_by(
            "dynamodb",
            "update_table",
            TableName=lambda stage: stage.aws.stage.table("ScoreResult"),
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "byScoringJob"}}],
        ),
        "tables",
        "table local-ScoreResult: index byScoringJob: got absent, expected scoringJobId$",
        INFRA,
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
        "response types of the event source removed",
        by_hand.mapping_changed(FunctionResponseTypes=[]),
        "event source",
        r"response types: got \[\], expected \['ReportBatchItemFailures'\]",
        INFRA,
    ),
    Row(
        "event source filtered",
        by_hand.mapping_changed(FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["new"]}}'}]}),
        "event source",
        'queue plexus-scoring-request-standard: filter: got .*"kind".*, expected none',
        INFRA,
    ),
    Row(
        "another consumer of the queue",
        by_hand.another_consumer,
        "event source",
        r"another consumer: got plexus-score-processor-lambda \([-0-9a-f]+\), expected none",
        INFRA,
    ),
    *(
        Row(
            f"{key} of the {name} queue changed",
            by_hand.queue_attributes(name, **{key: value}),
            "queue drift",
            f"queue plexus-scoring-{name}[-a-z]*: {message}",
            INFRA,
        )
        for name, key, value, message in (
            ("request", "DelaySeconds", "900", "delay: got 900, expected 0$"),
            ("request", "MessageRetentionPeriod", "60", "retention: got 60, expected 604800$"),
            ("request", "Policy", by_hand.DENIED, r"policy: got Deny sqs:\*, expected Deny sqs:\* under conditions$"),
            ("response", "KmsMasterKeyId", "alias/aws/sqs", "encryption: got alias/aws/sqs, expected SQS's own key$"),
        )
    ),
    Row(
        "dead-letter queue takes no letters",
        by_hand.queue_attributes("request_dead_letters", RedriveAllowPolicy='{"redrivePermission": "denyAll"}'),
        "queue drift",
        "dead-letters: sources: got denyAll, expected byQueue$",
        INFRA,
    ),
    Row(
        "retention of the log changed",
        by_hand.delete_by(
            "logs", "put_retention_policy", logGroupName=lambda stage: stage.aws.stage.log_group, retentionInDays=1
        ),
        "log group",
        "retention: got 1, expected 7$",
        INFRA,
        "warn",
    ),
    Row(
        "alarm switched off",
        by_hand.delete_by("cloudwatch", "disable_alarm_actions", AlarmNames=["plexus-score-processor-lambda-errors"]),
        "alarms",
        "alarm plexus-score-processor-lambda-errors: ActionsEnabled: got False, expected True$",
        INFRA,
        "warn",
    ),
    Row(
        "policy of the repository deleted",
        by_hand.delete_by("ecr", "delete_repository_policy", repositoryName=lambda stage: stage.aws.stage.repository),
        "repository",
        "policy: got none, expected Allow ecr:batchgetimage, ecr:getdownloadurlforlayer under conditions$",
        INFRA,
    ),
    Row(
        "images expire after a day",
        by_hand.delete_by(
            "ecr",
            "put_lifecycle_policy",
            repositoryName=lambda stage: stage.aws.stage.repository,
            lifecyclePolicyText=by_hand.EXPIRING,
        ),
        "repository",
        "expiry: got any sinceImagePushed 1, expected tagged imageCountMoreThan 100000, untagged ",
        INFRA,
        "warn",
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
        "tags: got MUTABLE, expected IMMUTABLE$",
        INFRA,
        "warn",
    ),
]
