"""The permissions of the worker: actions and ARNs, one statement for each task.

`tests/e2e/test_least_privilege.py` compares them, in both directions, with the calls that the worker really makes.
"""

from aws_cdk import aws_iam as iam

from infrastructure.stacks import arns
from stages import Stage
from stages.secrets import find_secret_arn

TAKE = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
]  # SendMessage: a message at its last receive, whose job another worker has leased, is sent again
TRACE = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
"""The calls of X-Ray's daemon, which uses the worker's role. They do not support resource-level permissions."""
USE_KEY = ["kms:Decrypt", "kms:GenerateDataKey"]
"""Tables, queues and the bucket decrypt and encrypt in the name of their caller."""
READ_TOGETHER = ("Item", "Score", "Scorecard", "ScoreResult")
READ_ALONE = ("Outbox", "ScoreVersion", "ScoringJob")


def worker_policy(settings: Stage) -> iam.PolicyDocument:
    """Return the inline policy of the function's role.

    The only wildcards are for log streams, object keys with a prefix and, if tracing is on, X-Ray's two actions.
    """
    queues, bucket = settings.queues, settings.bucket

    def table(noun: str) -> str:
        return arns.table(settings.table(noun))

    def index(noun: str) -> str:
        return arns.index(settings.table(noun), settings.index(noun).name)

    return iam.PolicyDocument(
        statements=[
            _allow("TakeRequests", TAKE, arns.queue(queues.request)),
            _allow(
                "AnswerAndRefuse",
                ["sqs:SendMessage"],
                arns.queue(queues.response),
                arns.queue(queues.request_dead_letters),
            ),
            _allow(
                "FindByIndex",
                ["dynamodb:Query"],
                index("Account"),
                index("Score"),
            ),
            _allow("ReadWhatToScore", ["dynamodb:BatchGetItem"], *map(table, READ_TOGETHER)),
            _allow("ReadOne", ["dynamodb:GetItem"], *map(table, READ_ALONE)),
            _allow("ClaimAndComplete", ["dynamodb:UpdateItem"], table("ScoringJob")),
            _allow("Commit", ["dynamodb:PutItem"], table("ScoreResult"), table("Outbox")),
            _allow("Sweep", ["dynamodb:BatchWriteItem", "dynamodb:Scan"], table("Outbox")),
            _allow("ReadArtifacts", ["s3:GetObject"], arns.objects(bucket, "")),
            _allow("KeepLargeResults", ["s3:PutObject"], arns.objects(bucket, "results/")),
            *_attachments(settings),
            _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], arns.log_streams(settings.log_group)),
            *([_allow("SendTraces", TRACE, "*")] if settings.function.tracing else []),
            *([_allow("UseKey", USE_KEY, settings.encryption_key)] if settings.encryption_key else []),
            *_models(settings),
            *_secrets(settings),
        ]
    )


def _attachments(settings: Stage) -> list[iam.PolicyStatement]:
    """Return the permission to write traces where the original's dashboard reads them."""
    if not settings.tables.attachments:
        return []
    return [_allow("KeepTraces", ["s3:PutObject"], arns.objects(settings.tables.attachments, "scoreresults/"))]


def _models(settings: Stage) -> list[iam.PolicyStatement]:
    """Return the permission to ask the models of Bedrock that the stage names, and no other."""
    named = settings.function.models.split()
    return [_allow("AskModels", ["bedrock:InvokeModel"], *named)] if named else []


def _secrets(settings: Stage) -> list[iam.PolicyStatement]:
    """Return the permission to read each secret and parameter whose ARN is in the environment, and no other."""
    named = [arn for value in settings.function.environment.values() if (arn := find_secret_arn(value))]
    stored = sorted({arn for arn in named if arn.split(":")[2] == "secretsmanager"})
    parameters = sorted({arn for arn in named if arn.split(":")[2] == "ssm"})
    return [
        *([_allow("ReadSecrets", ["secretsmanager:GetSecretValue"], *stored)] if stored else []),
        *([_allow("ReadParameters", ["ssm:GetParameter"], *parameters)] if parameters else []),
    ]


def _allow(sid: str, actions: list[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=list(resources))
