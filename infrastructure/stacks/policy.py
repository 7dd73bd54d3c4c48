"""What the worker may do: actions and ARNs, one statement for each thing that it does."""

from aws_cdk import aws_iam as iam

from infrastructure.settings import Settings
from infrastructure.stacks import arns

TAKE = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
]  # sent again when another worker holds the job at the message's last receive
READ = ("Item", "Outbox", "Score", "Scorecard", "ScoreResult", "ScoreVersion", "ScoringJob")


def worker_policy(settings: Settings) -> iam.PolicyDocument:
    """The inline policy of the function's role. The only wildcards are log streams and object keys below a prefix."""
    queues, bucket = settings.queues, settings.bucket

    def table(noun: str) -> str:
        return arns.table(settings.tables.prefix + noun)

    def index(noun: str, name: str) -> str:
        return arns.index(settings.tables.prefix + noun, name)

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
                index("Account", "byKey"),
                index("Score", "byScorecard"),
                index("ScoreResult", "byScoringJob"),
            ),
            _allow("ReadWhatToScore", ["dynamodb:BatchGetItem", "dynamodb:GetItem"], *map(table, READ)),
            _allow("ClaimAndComplete", ["dynamodb:UpdateItem"], table("ScoringJob")),
            _allow("Commit", ["dynamodb:PutItem"], table("ScoreResult"), table("Outbox")),
            _allow("Sweep", ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:Scan"], table("Outbox")),
            _allow("ReadArtifacts", ["s3:GetObject"], arns.objects(bucket, "")),
            _allow("KeepLargeResults", ["s3:PutObject"], arns.objects(bucket, "results/")),
            _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], arns.log_streams(settings.log_group)),
        ]
    )


def _allow(sid: str, actions: list[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=list(resources))
