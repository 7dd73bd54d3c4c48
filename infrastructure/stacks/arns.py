"""ARNs of the stage's resources, built from their names instead of imported from other stacks.

Each is a single `Fn::Sub` of partition, region and account, so that a template reads like a policy.
"""

from aws_cdk import Fn

HERE = "${AWS::Region}:${AWS::AccountId}"


def queue(name: str) -> str:
    """Return the ARN of a queue."""
    return _arn(f"sqs:{HERE}:{name}")


def table(name: str, region: str = "${AWS::Region}", account: str = "") -> str:
    """Return the ARN of a table; an empty account is the stack's own."""
    return _arn(f"dynamodb:{region}:{account or '${AWS::AccountId}'}:table/{name}")


def index(table_name: str, name: str) -> str:
    """Return the ARN of an index of a table."""
    return _arn(f"dynamodb:{HERE}:table/{table_name}/index/{name}")


def objects(bucket: str, prefix: str) -> str:
    """Return the ARN of all objects of a bucket whose key starts with `prefix`."""
    return _arn(f"s3:::{bucket}/{prefix}*")


def log_streams(log_group: str) -> str:
    """Return the ARN of all log streams of a log group."""
    return _arn(f"logs:{HERE}:log-group:{log_group}:log-stream:*")


def repository(name: str) -> str:
    """Return the ARN of a repository."""
    return _arn(f"ecr:{HERE}:repository/{name}")


def function(name: str) -> list[str]:
    """Return the ARNs of a function and of its versions and aliases."""
    return [_arn(f"lambda:{HERE}:function:{name}"), _arn(f"lambda:{HERE}:function:{name}:*")]


def bucket(name: str) -> str:
    """Return the ARN of a bucket."""
    return _arn(f"s3:::{name}")


def log_group(name: str) -> str:
    """Return the ARN of a log group."""
    return _arn(f"logs:{HERE}:log-group:{name}:*")


def stacks(stage: str) -> str:
    """Return the ARN of all stacks of a stage."""
    return _arn(f"cloudformation:{HERE}:stack/{stage}-*/*")


def roles(stage: str) -> str:
    """Return the ARN of the roles that CloudFormation names after a stage's function stack."""
    return _arn(f"iam::${{AWS::AccountId}}:role/{stage}-function-*")


def rules(stage: str) -> str:
    """Return the ARN of the rules that CloudFormation names after a stage's function stack."""
    return _arn(f"events:{HERE}:rule/{stage}-function-*")


def alarms(function_name: str) -> str:
    """Return the ARN of a function's alarms."""
    return _arn(f"cloudwatch:{HERE}:alarm:{function_name}-*")


def topic(name: str) -> str:
    """Return the ARN of a topic."""
    return _arn(f"sns:{HERE}:{name}")


def alarm_text(name: str) -> str:
    """Return the ARN of an alarm, for a text in which CloudFormation fills in the rest."""
    return f"arn:${{AWS::Partition}}:cloudwatch:{HERE}:alarm:{name}"


def dashboard(name: str) -> str:
    """Return the ARN of a dashboard."""
    return _arn(f"cloudwatch::${{AWS::AccountId}}:dashboard/{name}")


def _arn(rest: str) -> str:
    return Fn.sub(f"arn:${{AWS::Partition}}:{rest}")
