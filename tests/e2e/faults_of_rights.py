"""Faults of who may do what: role, bucket, topic, capacity; each with the finding and the remedy of the doctor."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e import faults_by_hand as by_hand
from tests.e2e.faults_of_resources import INFRA, Row
from tests.e2e.staged import Staged


def write_policy(effect: str, action: str, **more: Any) -> str:
    """Return a policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, **more}]})


def trust_another_service(stage: Staged) -> None:
    """Let EC2 instead of Lambda assume the role, so that every call fails."""
    document = write_policy("Allow", "sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})
    stage.aws.client("iam").update_assume_role_policy(RoleName=by_hand.role(stage), PolicyDocument=document)


def create_policy(stage: Staged, name: str, document: str) -> str:
    """Create a managed policy; returns its ARN."""
    return str(stage.aws.client("iam").create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"])


def attach_denial(stage: Staged) -> None:
    """Attach a managed policy that denies what the role's own policy allows."""
    arn = create_policy(stage, "no-queues", write_policy("Deny", "sqs:*", Resource="*"))
    stage.aws.client("iam").attach_role_policy(RoleName=by_hand.role(stage), PolicyArn=arn)


def bound_role(stage: Staged) -> None:
    """Give the role a permissions boundary that allows logs only."""
    arn = create_policy(stage, "only-logs", write_policy("Allow", "logs:*", Resource="*"))
    stage.aws.client("iam").put_role_permissions_boundary(RoleName=by_hand.role(stage), PermissionsBoundary=arn)


def delete_role(stage: Staged) -> None:
    """Delete the function's role with its policy."""
    client, name = stage.aws.client("iam"), by_hand.role(stage)
    client.delete_role_policy(RoleName=name, PolicyName="worker")
    client.delete_role(RoleName=name)


def deny_artifacts(stage: Staged) -> None:
    """Replace the bucket's policy by one that denies everybody to read."""
    bucket = stage.aws.stage.bucket
    document = write_policy("Deny", "s3:GetObject", Principal="*", Resource=f"arn:aws:s3:::{bucket}/*")
    stage.aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=document)


def expire_artifacts(stage: Staged) -> None:
    """Let the bucket delete every object after a day."""
    rule: Any = {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    stage.aws.client("s3").put_bucket_lifecycle_configuration(
        Bucket=stage.aws.stage.bucket, LifecycleConfiguration={"Rules": [rule]}
    )


def provision_table(stage: Staged) -> None:
    """Give the table of jobs a fixed capacity of one request a second."""
    capacity: Any = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    stage.aws.client("dynamodb").update_table(
        TableName=stage.aws.stage.table("ScoringJob"), BillingMode="PROVISIONED", ProvisionedThroughput=capacity
    )


def silence_alarm(stage: Staged) -> None:
    """Save an alarm without its actions, as the console does when they are removed."""
    client = stage.aws.client("cloudwatch")
    alarm: Any = client.describe_alarms(AlarmNames=["plexus-score-processor-lambda-throttles"])["MetricAlarms"][0]
    names = ("AlarmName", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods")
    kept = {name: alarm[name] for name in (*names, "Threshold", "ComparisonOperator", "TreatMissingData")}
    client.put_metric_alarm(**kept, AlarmActions=[], OKActions=[])


def deny_publishing(stage: Staged) -> None:
    """Replace the topic's policy by one that lets nobody publish."""
    client = stage.aws.client("sns")
    arn = next(one["TopicArn"] for one in client.list_topics()["Topics"] if one["TopicArn"].endswith("-alarms"))
    document = write_policy("Deny", "sns:Publish", Sid="Nobody", Principal="*", Resource=arn)
    client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)


ROLE = "role local-function-Role-[0-9a-f]+"
BUCKET = "bucket plexus-score-processor-artifacts-local"
ROWS = [
    Row("role deleted", delete_role, "resources", "deleted: Role ", "make infra-deploy config"),
    Row(
        "role not to be assumed",
        trust_another_service,
        "role",
        f"{ROLE}: trust: got Allow .*ec2.*, expected Allow .*lambda.amazonaws.com",
        INFRA,
    ),
    Row("policy attached", attach_denial, "role", f"{ROLE}: policy no-queues: got attached, expected absent", INFRA),
    Row(
        "role with a boundary",
        bound_role,
        "role",
        f"{ROLE}: permissions boundary: got arn:.*only-logs, expected absent",
        INFRA,
    ),
    Row(
        "bucket denies reads",
        deny_artifacts,
        "bucket",
        rf"{BUCKET}: policy: got Deny s3:getobject, expected Deny s3:\* under conditions",
        INFRA,
    ),
    Row("artifacts expire", expire_artifacts, "bucket", f"{BUCKET}: expiry: got 1 days, expected none", INFRA),
    Row(
        "bucket without versions",
        by_hand.delete_by(
            "s3",
            "put_bucket_versioning",
            Bucket=lambda stage: stage.aws.stage.bucket,
            VersioningConfiguration={"Status": "Suspended"},
        ),
        "bucket",
        f"{BUCKET}: versions: got Suspended, expected Enabled",
        INFRA,
    ),
    Row(
        "bucket open to the public",
        by_hand.delete_by("s3", "delete_public_access_block", Bucket=lambda stage: stage.aws.stage.bucket),
        "bucket",
        f"{BUCKET}: public access: got not blocked, expected BlockPublicAcls, ",
        INFRA,
    ),
    Row(
        "table with a fixed capacity",
        provision_table,
        "tables",
        "table local-ScoringJob: billing: got PROVISIONED, expected PAY_PER_REQUEST",
        INFRA,
    ),
    Row(
        "alarm without actions",
        silence_alarm,
        "alarms",
        "alarm plexus-score-processor-lambda-throttles: AlarmActions: got none, expected plexus-.*-alarms",
        INFRA,
        "warn",
    ),
    Row(
        "topic takes no alarm",
        deny_publishing,
        "alarms",
        "topic plexus-score-processor-lambda-alarms: policy: got Deny sns:publish, expected Allow sns:publish",
        INFRA,
        "warn",
    ),
]
