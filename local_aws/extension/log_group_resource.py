"""CloudFormation's AWS::Logs::LogGroup with retention, which LocalStack's provider drops along with updates."""

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest
from localstack.services.logs.resource_providers.aws_logs_loggroup import LogsLogGroupProvider


class LogGroupProvider(LogsLogGroupProvider):
    """LocalStack's provider, with retention and updates."""

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Create the group, then set its retention."""
        event = super().create(request)
        _retain(request, event.resource_model)
        return event

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Set the retention; the name cannot change."""
        before = request.previous_state
        model = {**request.desired_state, "LogGroupName": before["LogGroupName"], "Arn": before.get("Arn")}
        _retain(request, model)
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _retain(request: ResourceRequest, model: dict) -> None:
    logs, name = request.aws_client_factory.logs, model["LogGroupName"]
    if days := model.get("RetentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(days))
    else:
        logs.delete_retention_policy(logGroupName=name)
