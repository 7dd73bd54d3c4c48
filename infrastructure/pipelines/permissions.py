"""What each step of a release may do, by action and ARN: building and testing may do nothing at all."""

from aws_cdk import aws_iam as iam

from infrastructure.stacks import arns, dashboard
from infrastructure.stacks.tables_stack import TABLES
from stages import Stage

READ_IMAGE = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
]
WRITE_IMAGE = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]
READ_FUNCTION = [
    "lambda:GetAlias",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:ListVersionsByFunction",
]
RELEASE = [
    "lambda:InvokeFunction",
    "lambda:PublishVersion",
    "lambda:UpdateAlias",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
]
READ_STACK = ["cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks", "cloudformation:GetTemplate"]
CHANGE_STACK = ["cloudformation:CreateStack", "cloudformation:UpdateStack"]
# CloudFormation acts with the rights of whoever asks it, so these are the rights to change what the templates hold.
CHANGE_QUEUE = [
    "sqs:CreateQueue",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:SetQueueAttributes",
    "sqs:ListQueueTags",
]
CHANGE_TABLE = [
    "dynamodb:CreateTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:ListTagsOfResource",
    "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateTable",
]
CHANGE_BUCKET = [
    "s3:CreateBucket",
    "s3:GetBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
]
CHANGE_FUNCTION = [
    *READ_FUNCTION,
    "lambda:AddPermission",
    "lambda:CreateAlias",
    "lambda:CreateFunction",
    "lambda:PutFunctionConcurrency",
    "lambda:RemovePermission",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
]
CHANGE_MAPPING = ["lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"]
CHANGE_ROLE = [
    "iam:CreateRole",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:UpdateRole",
]
CHANGE_LOGS = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
CHANGE_ALARM = ["cloudwatch:DescribeAlarms", "cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm"]
CHANGE_RULE = ["events:DescribeRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"]
CHANGE_REPOSITORY = [
    "ecr:CreateRepository",
    "ecr:DescribeRepositories",
    "ecr:PutImageScanningConfiguration",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
]


def rights(name: str, settings: Stage) -> list[iam.PolicyStatement]:
    """The statements of `push`, `read`, `shape` or `deploy`."""
    return {"push": _push, "read": _read, "shape": _shape, "deploy": _deploy}[name](settings)


def _push(settings: Stage) -> list[iam.PolicyStatement]:
    return [
        _allow(["ecr:GetAuthorizationToken"], "*"),  # this action knows no resource
        _allow(READ_IMAGE + WRITE_IMAGE, arns.repository(settings.repository)),
    ]


def _read(settings: Stage) -> list[iam.PolicyStatement]:
    return [
        _allow(READ_STACK, arns.stacks(settings.name)),
        _allow(READ_FUNCTION, *arns.function(settings.function.name)),
    ]


def _shape(settings: Stage) -> list[iam.PolicyStatement]:
    queues, prefix, name = settings.queues, settings.tables.prefix, settings.function.name
    four = (queues.request, queues.response, queues.request_dead_letters, queues.response_dead_letters)
    return [
        _allow(READ_STACK + CHANGE_STACK, arns.stacks(settings.name)),
        _allow(CHANGE_QUEUE, *map(arns.queue, four)),
        _allow(CHANGE_TABLE, *(arns.table(prefix + table.name) for table in TABLES)),
        _allow(CHANGE_BUCKET, arns.bucket(settings.bucket)),
        _allow(CHANGE_REPOSITORY, arns.repository(settings.repository)),
        _allow(CHANGE_FUNCTION, *arns.function(name)),
        _allow(CHANGE_MAPPING, "*", conditions={"ArnLike": {"lambda:FunctionArn": arns.function(name)}}),
        _allow(CHANGE_ROLE, arns.roles(settings.name)),
        _allow(CHANGE_LOGS, arns.log_group(settings.log_group)),
        _allow(CHANGE_ALARM, arns.alarms(name), arns.dashboard(dashboard.name(settings))),
        _allow(CHANGE_RULE, arns.rules(settings.name)),
    ]


def _deploy(settings: Stage) -> list[iam.PolicyStatement]:
    queues, name = settings.queues, settings.function.name
    return [
        _allow(READ_FUNCTION + RELEASE, *arns.function(name)),
        _allow(
            ["lambda:GetEventSourceMapping", "lambda:ListEventSourceMappings"], "*"
        ),  # listed, then told by function
        _allow([*READ_IMAGE, "ecr:PutImage"], arns.repository(settings.repository)),
        _allow(["dynamodb:PutItem", "dynamodb:Query"], arns.table(f"{settings.tables.prefix}Deployment")),
        _allow(["sqs:GetQueueAttributes", "sqs:GetQueueUrl"], arns.queue(queues.request), arns.queue(queues.response)),
        _allow(["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"], "*"),  # neither can be limited to a function
        _allow(["iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies"], arns.roles(settings.name)),
        _allow(READ_STACK, arns.stacks(settings.name)),
    ]


def _allow(actions: list[str], *resources: str, conditions: dict[str, object] | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=list(resources), conditions=conditions)
