"""The permissions of each step of a release, by action and ARN. The build and test steps have none."""

from aws_cdk import aws_iam as iam

import stages
from infrastructure.stacks import alarms, arns, dashboard
from infrastructure.stacks.tables_stack import LEDGER, TABLES
from stages import Stage

READ_IMAGE = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
]
WRITE_IMAGE = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]
READ_REPOSITORY = [
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRepositoryPolicy",
]
READ_FUNCTION = [
    "lambda:GetAlias",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:ListVersionsByFunction",
]
RELEASE = [
    "lambda:GetFunctionConcurrency",
    "lambda:InvokeFunction",
    "lambda:PublishVersion",
    "lambda:UpdateAlias",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
]
READ_STACK = [
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplate",
]
PREPARE_STACK = [
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DescribeChangeSet",
]
EXECUTE_STACK = ["cloudformation:DescribeChangeSet", "cloudformation:ExecuteChangeSet"]
READ_BUCKET = [
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucket",
]
READ_QUEUE = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
READ_ROLE = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
# CloudFormation uses its caller's permissions, so these allow to change the resources in the templates.
CHANGE_QUEUE = ["sqs:CreateQueue", "sqs:ListQueueTags", "sqs:SetQueueAttributes"]
CHANGE_TABLE = [
    "dynamodb:CreateTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:ListTagsOfResource",
    "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateTimeToLive",
]
CHANGE_BUCKET = [
    "s3:CreateBucket",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
]
CHANGE_FUNCTION = [
    "lambda:AddPermission",
    "lambda:CreateAlias",
    "lambda:CreateFunction",
    "lambda:PutFunctionConcurrency",
    "lambda:RemovePermission",
    "lambda:UpdateAlias",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
]
CHANGE_MAPPING = [
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
]
CHANGE_ROLE = [
    "iam:CreateRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
]
CHANGE_LOGS = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
CHANGE_ALARM = ["cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm"]
CHANGE_TOPIC = [
    "sns:CreateTopic",
    "sns:GetTopicAttributes",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:Unsubscribe",
]
CHANGE_RULE = ["events:DescribeRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"]
READ_KEY = ["kms:Decrypt", "kms:DescribeKey"]  # of the ledger, and of the log
CHANGE_KEY = ["kms:CreateGrant", "kms:Encrypt", "kms:GenerateDataKey"]
CHANGE_REPOSITORY = [
    "ecr:CreateRepository",
    "ecr:GetRepositoryPolicy",
    "ecr:PutImageScanningConfiguration",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
    "ecr:SetRepositoryPolicy",
]


def statements(name: str, settings: Stage) -> list[iam.PolicyStatement]:
    """Return the policy statements for `push`, `read`, `shape` or `deploy`."""
    return {"push": _push, "read": _compare, "shape": _shape, "deploy": _deploy}[name](settings)


def _push(settings: Stage) -> list[iam.PolicyStatement]:
    return [
        _allow(["ecr:GetAuthorizationToken"], "*"),  # no resource-level permissions
        _allow(["ecr:DescribeRepositories", *READ_IMAGE, *WRITE_IMAGE], arns.repository(settings.repository)),
    ]


def _read(settings: Stage) -> list[iam.PolicyStatement]:
    """Return what a comparison of the stage with the repository reads, such as `drift`."""
    ledger = arns.table(f"{settings.tables.prefix}Deployment")
    return [
        _allow(READ_STACK, arns.stacks(settings.name)),
        _allow(READ_FUNCTION, *arns.function(settings.function.name)),
        _allow(READ_QUEUE, *_queues(settings)),
        _allow(["dynamodb:DescribeTable"], *_tables(settings)),
        _allow(["dynamodb:Query"], ledger),
        _allow(READ_BUCKET, arns.bucket(settings.bucket)),
        _allow(READ_REPOSITORY, arns.repository(settings.repository)),
        _allow(READ_ROLE, arns.roles(settings.name)),
        _allow(["sns:GetTopicAttributes"], arns.topic(alarms.topic_name(settings))),
        *_key(settings, READ_KEY),
        # These have no resource-level permissions, or list what the code then filters.
        _allow(["cloudwatch:DescribeAlarms", "lambda:ListEventSourceMappings", "logs:DescribeLogGroups"], "*"),
    ]


def _compare(settings: Stage) -> list[iam.PolicyStatement]:
    """Return what `infra-diff` needs: it reads, and prepares change sets that it may not execute."""
    return [*_read(settings), _allow(PREPARE_STACK, arns.stacks(settings.name))]


def _shape(settings: Stage) -> list[iam.PolicyStatement]:
    name = settings.function.name
    return [
        *_read(settings),
        _allow(EXECUTE_STACK, arns.stacks(settings.name)),
        _allow(CHANGE_QUEUE, *_queues(settings)),
        _allow(CHANGE_TABLE, *_tables(settings)),
        _allow(CHANGE_BUCKET, arns.bucket(settings.bucket)),
        _allow(CHANGE_REPOSITORY, arns.repository(settings.repository)),
        _allow(CHANGE_FUNCTION, *arns.function(name)),
        _allow(["lambda:GetEventSourceMapping"], "*"),
        _allow(CHANGE_MAPPING, "*", conditions={"ArnLike": {"lambda:FunctionArn": arns.function(name)}}),
        _allow(CHANGE_ROLE, arns.roles(settings.name)),
        _allow(
            ["iam:PassRole"],
            arns.roles(settings.name),
            conditions={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
        _allow(CHANGE_LOGS, arns.log_group(settings.log_group)),
        _allow(CHANGE_ALARM, arns.alarms(name), arns.dashboard(dashboard.name(settings))),
        _allow(CHANGE_TOPIC, arns.topic(alarms.topic_name(settings))),
        _allow(CHANGE_RULE, arns.rules(settings.name)),
        *_key(settings, CHANGE_KEY),
    ]


def _deploy(settings: Stage) -> list[iam.PolicyStatement]:
    ledger = arns.table(f"{settings.tables.prefix}Deployment")
    return [
        *_read(settings),
        _allow(RELEASE, *arns.function(settings.function.name)),
        _allow(["ecr:GetAuthorizationToken"], "*"),  # no resource-level permissions
        _allow([*READ_IMAGE, "ecr:PutImage"], arns.repository(settings.repository)),
        _allow(["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"], ledger),  # the lock and the entry
        _allow(["logs:FilterLogEvents"], arns.log_group(settings.log_group)),  # by which the canary is judged
        *_synthetic_calls(settings),
        *_earlier_ledger(settings),
    ]


def _synthetic_calls(settings: Stage) -> list[iam.PolicyStatement]:
    """Return the permissions to find the jobs that a canary without traffic scores again."""
    if not settings.release.synthetic_jobs:
        return []
    results = settings.table("ScoreResult")
    return [
        _allow(["dynamodb:Scan"], arns.table(settings.table("Scorecard"))),
        _allow(["dynamodb:Query"], arns.index(results, settings.index("ScoreResult").name)),
        _allow(["dynamodb:BatchGetItem"], arns.table(results)),
    ]


def _earlier_ledger(settings: Stage) -> list[iam.PolicyStatement]:
    """Return the permission to read which images the stage before has served."""
    if not settings.release.after:
        return []
    before = stages.load(settings.release.after)
    ledger = arns.table(f"{before.tables.prefix}{LEDGER}", before.region, before.account)
    return [_allow(["dynamodb:Query"], ledger)]


def _key(settings: Stage, actions: list[str]) -> list[iam.PolicyStatement]:
    return [_allow(actions, settings.encryption_key)] if settings.encryption_key else []


def _queues(settings: Stage) -> list[str]:
    queues = settings.queues
    names = (queues.request, queues.response, queues.request_dead_letters, queues.response_dead_letters)
    return list(map(arns.queue, names))


def _tables(settings: Stage) -> list[str]:
    return [arns.table(settings.table(table.name)) for table in TABLES]


def _allow(actions: list[str], *resources: str, conditions: dict[str, object] | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=list(resources), conditions=conditions)
