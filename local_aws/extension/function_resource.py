"""CloudFormation's AWS::Lambda::Function with its reserved concurrency, which LocalStack's provider ignores."""

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest
from localstack.services.lambda_.resource_providers.aws_lambda_function import LambdaFunctionProvider


class FunctionProvider(LambdaFunctionProvider):
    """LocalStack's provider, with the reserved concurrency."""

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Create the function, and reserve its concurrency once it is active."""
        event = super().create(request)
        if event.status == OperationStatus.SUCCESS:
            _reserve(request, event.resource_model)
        return event

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Update the function, and reserve its concurrency, or give it back."""
        event = super().update(request)
        wanted = request.desired_state.get("ReservedConcurrentExecutions")
        _reserve(request, {**event.resource_model, "ReservedConcurrentExecutions": wanted})
        return event


def _reserve(request: ResourceRequest, model: dict) -> None:
    client, name = request.aws_client_factory.lambda_, model["FunctionName"]
    if (count := model.get("ReservedConcurrentExecutions")) is None:
        client.delete_function_concurrency(FunctionName=name)
    else:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(count))
