"""Entry points: three service providers, the Lambda executor, start and stop hooks. Imports are local on purpose."""

import os

from localstack import config
from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.plugins import Service, aws_provider


@hooks.on_infra_start(priority=100)  # before service providers are selected
def configure() -> None:
    """Select our providers and start what runs beside LocalStack."""
    if "LOCAL_AWS_INSTANCE" not in os.environ:  # another LocalStack that happens to see this package
        return
    config.SERVICE_PROVIDER_CONFIG.set_provider_if_not_exists("dynamodb", "moto")
    config.SERVICE_PROVIDER_CONFIG.set_provider_if_not_exists("lambda", "image")
    config.LAMBDA_RUNTIME_EXECUTOR = "image"

    from local_aws.extension import call_recorder, collector, fault_injection, internals, registry, routes

    collector.install()
    internals.apply_at_start()
    fault_injection.install()
    call_recorder.install()
    routes.install()
    registry.start()


@hooks.on_infra_shutdown()
def shut_down() -> None:
    """Stop pollers first, then environments, so that nothing writes to services that are already down."""
    if "LOCAL_AWS_INSTANCE" in os.environ:
        from local_aws.extension import executor, queue_poller, registry

        queue_poller.close_all()
        executor.stop_all()
        registry.stop()


@aws_provider(api="dynamodb", name="moto")
def dynamodb() -> Service:
    """Create DynamoDB, backed by moto."""
    from local_aws.extension import dynamodb_additions
    from local_aws.extension.moto_service import moto_service

    dynamodb_additions.install()
    return moto_service("dynamodb", dynamodb_additions.sweep)


@aws_provider(api="ecr")
def ecr() -> Service:
    """Create ECR, backed by moto and the registry."""
    from local_aws.extension.ecr import after, before
    from local_aws.extension.moto_service import moto_service

    return moto_service("ecr", before, after)


@aws_provider(api="lambda", name="image")
def lambda_() -> Service:
    """Create LocalStack's Lambda with image functions."""
    from localstack.services.lambda_.provider import LambdaProvider

    from local_aws.extension import internals

    internals.apply_to_lambda()
    return Service.for_provider(LambdaProvider())


class ImageExecutorPlugin(RuntimeExecutorPlugin):
    """Plugin of the executor for image functions."""

    name = "image"

    def load(self, *args, **kwargs):
        """Return the executor's class."""
        from local_aws.extension.executor import ImageExecutor

        return ImageExecutor
