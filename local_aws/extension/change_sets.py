"""CloudFormation's change sets as AWS has them: those that revert drift, and those that an update makes obsolete.

LocalStack accepts DeploymentMode=REVERT_DRIFT and ignores it. Such a change set also creates the stack's resources that
no longer exist, and writes the template's properties to those that somebody may have changed. The alias keeps its
version, which on AWS would be reverted, too.

A change set that was prepared before another update of its stack cannot be executed on AWS. LocalStack would.
"""

from localstack.aws.api.cloudformation import ExecutionStatus
from localstack.aws.connect import connect_to
from localstack.services.cloudformation.engine.v2.change_set_model import Nothing, is_nothing
from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.services.cloudformation.engine.v2.change_set_model_preproc import (
    ChangeSetModelPreproc,
    PreprocEntityDelta,
    PreprocProperties,
    PreprocResource,
)
from localstack.services.cloudformation.stores import cloudformation_stores
from localstack.services.cloudformation.v2.entities import ChangeSet

REWRITTEN = {
    "AWS::CloudWatch::Alarm",
    "AWS::ECR::Repository",
    "AWS::IAM::Role",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
}
"""Types whose provider can write all properties to an existing resource."""
PUT = {"AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"}
"""Types whose provider has no update, and whose creation replaces what is there."""


def install() -> None:
    """Patch the engine."""
    create, compare, visit_original = (
        ChangeSet.__init__,
        ChangeSet.has_changes,
        ChangeSetModelPreproc.visit_node_resource,
    )
    execute_original = ChangeSetModelExecutor.execute

    def with_mode(self, stack, request_payload, *args, **kwargs):
        create(self, stack, request_payload, *args, **kwargs)
        self.reverts_drift = request_payload.get("DeploymentMode") == "REVERT_DRIFT"

    def has_changes(self):
        return self.reverts_drift or compare(self)

    def visit(self, node_resource):
        delta = visit_original(self, node_resource)
        if isinstance(self, ChangeSetModelExecutor) and self._change_set.reverts_drift:
            return revert(self._change_set.stack, delta)
        return delta

    def execute(self):
        make_others_obsolete(self._change_set)
        return execute_original(self)

    ChangeSet.__init__, ChangeSet.has_changes = with_mode, has_changes
    ChangeSetModelExecutor.execute = execute
    ChangeSetModelPreproc.visit_node_resource = visit


def make_others_obsolete(change_set: ChangeSet) -> None:
    """Keep the stack's other change sets from being executed: they were computed before this update."""
    stack = change_set.stack
    known = cloudformation_stores[stack.account_id][stack.region_name].change_sets
    for identity in stack.change_set_ids - {change_set.change_set_id}:
        if identity in known and known[identity].execution_status == ExecutionStatus.AVAILABLE:
            known[identity].set_execution_status(ExecutionStatus.OBSOLETE)


def revert(stack, delta: PreprocEntityDelta) -> PreprocEntityDelta:
    """Return the change of a resource that exists in both templates as it is needed by what exists in fact."""
    if is_nothing(delta.before) or is_nothing(delta.after):
        return delta
    kind = delta.after.resource_type
    model = (stack.resolved_resources.get(delta.after.logical_id) or {}).get("Properties") or {}
    clients = connect_to(aws_access_key_id=stack.account_id, region_name=stack.region_name)
    if kind in PUT or not exists(clients, kind, model):
        return PreprocEntityDelta(before=Nothing, after=delta.after)
    if kind == "AWS::IAM::Role":
        _remove_other_policies(clients.iam, model)
    if kind == "AWS::DynamoDB::Table":
        _create_lost_indexes(clients.dynamodb, model)
        if mode := model.get("BillingMode"):
            clients.dynamodb.update_table(TableName=model["TableName"], BillingMode=mode)
    if kind == "AWS::S3::Bucket":
        _write_bucket(clients.s3, model)
    if kind in REWRITTEN and delta.before == delta.after:
        before = PreprocResource(**{**vars(delta.before), "properties": PreprocProperties({})})
        return PreprocEntityDelta(before=before, after=delta.after)
    return delta


def _remove_other_policies(iam, model: dict) -> None:
    name, kept = model["RoleName"], {policy["PolicyName"] for policy in model.get("Policies") or []}
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        if policy not in kept:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)


def _create_lost_indexes(dynamodb, model: dict) -> None:
    table = dynamodb.describe_table(TableName=model["TableName"])["Table"]
    present = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes") or []}
    for index in model.get("GlobalSecondaryIndexes") or []:
        if index["IndexName"] not in present:
            dynamodb.update_table(
                TableName=model["TableName"],
                AttributeDefinitions=model["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=[{"Create": index}],
            )


def _write_bucket(s3, model: dict) -> None:
    """Write the settings that people change, as far as the template names them; the policy is a resource of its own."""
    name = model["BucketName"]
    if versioning := model.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    if blocks := model.get("PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocks)
    if rules := (model.get("LifecycleConfiguration") or {}).get("Rules"):
        written = [{"ID" if key == "Id" else key: value for key, value in rule.items()} for rule in rules]
        lifecycle = {"Rules": [{"Filter": {}} | rule for rule in written]}
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=lifecycle)


def exists(clients, kind: str, model: dict) -> bool:
    """Return whether a resource exists; True for types that are not looked up.

    Errors other than 400 and 404 are raised: they say nothing about the resource.
    """
    ask = {
        "AWS::CloudWatch::Alarm": lambda: clients.cloudwatch.describe_alarms(AlarmNames=[model["AlarmName"]])[
            "MetricAlarms"
        ],
        "AWS::DynamoDB::Table": lambda: clients.dynamodb.describe_table(TableName=model["TableName"]),
        "AWS::ECR::Repository": lambda: clients.ecr.describe_repositories(repositoryNames=[model["RepositoryName"]]),
        "AWS::IAM::Role": lambda: clients.iam.get_role(RoleName=model["RoleName"]),
        "AWS::Lambda::Alias": lambda: clients.lambda_.get_alias(FunctionName=model["FunctionName"], Name=model["Name"]),
        "AWS::Lambda::EventSourceMapping": lambda: clients.lambda_.get_event_source_mapping(UUID=model["Id"]),
        "AWS::Lambda::Function": lambda: clients.lambda_.get_function(FunctionName=model["FunctionName"]),
        "AWS::Logs::LogGroup": lambda: [
            group
            for group in clients.logs.describe_log_groups(logGroupNamePrefix=model["LogGroupName"])["logGroups"]
            if group["logGroupName"] == model["LogGroupName"]
        ],
        "AWS::SNS::Topic": lambda: clients.sns.get_topic_attributes(TopicArn=model["TopicArn"]),
        "AWS::S3::Bucket": lambda: clients.s3.head_bucket(Bucket=model["BucketName"]),
        "AWS::SQS::Queue": lambda: clients.sqs.get_queue_url(QueueName=model["QueueName"]),
    }.get(kind)
    if ask is None:
        return True
    try:
        return bool(ask())
    except Exception as error:
        if getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode") in (400, 404):
            return False
        raise
