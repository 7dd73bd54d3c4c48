"""Which of the 440 AWS services botocore keeps a model of in the image.

All models together are 16 MB, more than any other package here but scipy and numpy. Kept are those that the function,
LangChain's AWS package, Powertools and credentials use, and a few that a processor may reasonably call. Another one is
one word in this list; without it boto3 says `UnknownServiceError` and names the services that it has.
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
    """Whether `path`, below the site folder, belongs to the model of a service that is not kept."""
    model = MODEL.match(path)
    return model is not None and model[1] not in KEPT
