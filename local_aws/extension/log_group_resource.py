"""CloudFormation's AWS::Logs::LogGroup with its RetentionInDays, which the stock resource leaves out."""

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest
from localstack.services.logs.resource_providers.aws_logs_loggroup import LogsLogGroupProvider


class LogGroupProvider(LogsLogGroupProvider):
    """The stock resource, and the days that its events are kept."""

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Create the group, then set its retention."""
        done = super().create(request)
        _keep(request.aws_client_factory.logs, done.resource_model)
        return done

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Set the retention; the name cannot change."""
        before = request.previous_state or {}
        fixed = {key: before[key] for key in ("LogGroupName", "Arn") if key in before}
        model = {**request.desired_state, **fixed}
        _keep(request.aws_client_factory.logs, model)
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _keep(logs, model: dict) -> None:
    days = model.get("RetentionInDays")
    if days:
        logs.put_retention_policy(logGroupName=model["LogGroupName"], retentionInDays=int(days))
    else:
        logs.delete_retention_policy(logGroupName=model["LogGroupName"])
