"""CloudFormation's AWS::CloudWatch::Alarm with updates, which LocalStack's provider refuses."""

from localstack.services.cloudformation.resource_provider import ProgressEvent, ResourceRequest
from localstack.services.cloudwatch.resource_providers.aws_cloudwatch_alarm import CloudWatchAlarmProvider


class AlarmProvider(CloudWatchAlarmProvider):
    """LocalStack's provider, with updates."""

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Write the alarm again under its name, which PutMetricAlarm replaces."""
        request.desired_state.setdefault("AlarmName", request.previous_state["AlarmName"])
        return self.create(request)
