"""ARNs of the stage's resources from their names: stacks know each other by the stage file, not by imported values.

Each is one `Fn::Sub` of nothing but partition, region and account, so that a template reads like a policy.
"""

from aws_cdk import Fn

HERE = "${AWS::Region}:${AWS::AccountId}"


def queue(name: str) -> str:
    """The ARN of a queue."""
    return _arn(f"sqs:{HERE}:{name}")


def table(name: str) -> str:
    """The ARN of a table."""
    return _arn(f"dynamodb:{HERE}:table/{name}")


def index(table_name: str, name: str) -> str:
    """The ARN of an index of a table."""
    return _arn(f"dynamodb:{HERE}:table/{table_name}/index/{name}")


def objects(bucket: str, prefix: str) -> str:
    """The ARN of all objects of a bucket whose key starts with `prefix`."""
    return _arn(f"s3:::{bucket}/{prefix}*")


def log_streams(log_group: str) -> str:
    """The ARN of all log streams of a log group."""
    return _arn(f"logs:{HERE}:log-group:{log_group}:log-stream:*")


def _arn(rest: str) -> str:
    return Fn.sub(f"arn:${{AWS::Partition}}:{rest}")
