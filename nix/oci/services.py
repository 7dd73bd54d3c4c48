"""The AWS services, out of botocore's 440, whose models are in the image.

All models together take 16 MB, more than any package except scipy and numpy. The image keeps the services that the
function, LangChain's AWS package and credentials use, and a few that a processor may reasonably call. For any other,
boto3 raises UnknownServiceError with the list of available ones; adding a service takes one line here.
"""

import re

KEPT = frozenset(
    [
        "application-autoscaling",
        "appconfigdata",
        "athena",
        "bedrock",
        "bedrock-agent",
        "bedrock-agent-runtime",
        "bedrock-agentcore",
        "bedrock-agentcore-control",
        "bedrock-runtime",
        "cloudformation",
        "cloudwatch",
        "comprehend",
        "dynamodb",
        "dynamodbstreams",
        "ecr",
        "events",
        "firehose",
        "glue",
        "iam",
        "kendra",
        "kinesis",
        "kms",
        "lambda",
        "logs",
        "neptune-graph",
        "opensearch",
        "opensearchserverless",
        "rds-data",
        "s3",
        "s3control",
        "s3vectors",
        "sagemaker-runtime",
        "scheduler",
        "secretsmanager",
        "ses",
        "sesv2",
        "signin",
        "sns",
        "sqs",
        "ssm",
        "sso",
        "sso-oidc",
        "stepfunctions",
        "sts",
        "textract",
        "xray",
    ]
)
MODEL = re.compile(r"botocore/data/([^/]+)/")


def is_left_out(path: str) -> bool:
    """Return whether a path below site-packages belongs to the model of a service that is not kept."""
    model = MODEL.match(path)
    return model is not None and model[1] not in KEPT
