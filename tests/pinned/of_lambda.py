"""Of LocalStack's Lambda: images, executors, logs, aliases and event source mappings."""

import contextlib
import dataclasses
import inspect
import itertools

from local_aws.extension import internals


def _parameters(function):
    return list(inspect.signature(function).parameters)


def _names(function):
    return inspect.unwrap(function).__code__.co_names


def _constants(function):
    return inspect.unwrap(function).__code__.co_consts


def image_code_without_docker():
    """The provider finds `create_image_code` among its module's names; an ImageCode has three fields and a bad URI."""
    import localstack.services.lambda_.provider as provider
    from localstack.services.lambda_.invocation.lambda_models import ImageCode

    from local_aws.extension import image_code

    assert _parameters(provider.create_image_code) == ["image_uri"]
    for operation in (provider.LambdaProvider.create_function, provider.LambdaProvider.update_function_code):
        assert "create_image_code" in _names(operation)
    assert [field.name for field in dataclasses.fields(ImageCode)] == ["image_uri", "repository_type", "code_sha256"]
    assert ImageCode("host:1/name", "ECR", "d").resolved_image_uri != "host:1/name@sha256:d"
    internals.image_code_without_docker()
    assert provider.create_image_code is image_code.create_image_code


def logs_written_once():
    """`store_logs` gets a result and an environment, by these names; after the patch it does nothing with them."""
    from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

    wanted = ["self", "invocation_result", "execution_env"]
    assert _parameters(LambdaVersionManager.store_logs) == wanted
    assert "store_logs" in _names(LambdaVersionManager.invoke)
    internals.logs_written_once()
    assert _parameters(LambdaVersionManager.store_logs) == wanted
    assert LambdaVersionManager.store_logs(None, invocation_result=None, execution_env=None) is None


def parallel_batches():
    """The factory makes a worker with a `poller`, its module's SqsPoller; after the patch that is ours, limited."""
    from localstack.services.lambda_.event_source_mapping import esm_worker_factory as factory
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker

    from local_aws.extension.queue_poller import QueuePoller

    assert "SqsPoller" in _names(factory.EsmWorkerFactory.get_esm_worker)
    assert {"esm_config", "poller"} <= set(_parameters(EsmWorker.__init__))
    assert _parameters(factory.EsmWorkerFactory.get_esm_worker) == ["self"]
    assert factory.EsmWorkerFactory({"UUID": "1"}, "role", True).esm_config == {"UUID": "1"}
    internals.parallel_batches()
    assert factory.SqsPoller is QueuePoller
    assert factory.EsmWorkerFactory.get_esm_worker.__name__ == "with_limit"


def disabled_means_disabled():
    """A worker's `stop` and `delete` do not wait for its thread; after the patch they wait for the poll.

    A worker writes its mapping's state whether another has replaced it or not; after the patch not then.
    """
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker

    for name in ("stop", "delete"):
        stock = getattr(EsmWorker, name)
        assert _parameters(stock) == ["self"]
        assert "_shutdown_event" in _names(stock)
        assert not {"join", "poller"} & set(_names(stock))
    assert _parameters(EsmWorker.update_esm_state_in_store) == ["self", "new_state"]
    assert "current" not in inspect.unwrap(EsmWorker.update_esm_state_in_store).__code__.co_freevars
    internals.disabled_means_disabled()
    assert "current" in EsmWorker.update_esm_state_in_store.__code__.co_freevars
    assert "stop_receiving" in _names(EsmWorker.stop)
    assert "stop_receiving" in _names(EsmWorker.delete)


def batches():
    """The poller that ours is built upon has what ours uses and replaces, and is closed when its mapping ends."""
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker
    from localstack.services.lambda_.event_source_mapping.event_processor import PartialBatchFailureError
    from localstack.services.lambda_.event_source_mapping.pollers import poller, sqs_poller

    stock = sqs_poller.SqsPoller
    assert _parameters(stock.delete_messages) == ["self", "messages", "message_ids_to_delete"]
    assert _parameters(stock.handle_messages) == ["self", "messages"]
    for name in ("poll_events", "close", "filter_events", "add_source_metadata", "is_fifo_queue"):
        assert hasattr(stock, name), name
    kept = [name for init in (stock.__init__, poller.Poller.__init__) for name in _names(init)]
    fields = {"queue_url", "batch_size", "maximum_batching_window", "source_client", "source_arn", "processor"}
    assert fields | {"filter_patterns"} <= set(kept)
    hooks = [one for code in _constants(stock._register_client_hooks) for one in getattr(code, "co_consts", ())]
    assert {"sqs_override_max_message_count", "sqs_override_wait_time_seconds"} <= set(hooks)
    body = '{ "id": 1.0}'
    (event,) = sqs_poller.transform_into_events([{"MessageId": "m", "ReceiptHandle": "r", "Body": body}])
    assert (event["messageId"], event["body"]) == ("m", body)
    failed = {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert PartialBatchFailureError(partial_failure_payload=failed).partial_failure_payload is failed
    assert poller.parse_batch_item_failures(failed, {"m", "n"}) == ["m"]
    assert {"poll_events", "close"} <= set(_names(EsmWorker.poller_loop))


def contested_environments():
    """An invocation fails if another reserves the environment that it started; after the patch it starts another."""
    from localstack.services.lambda_.invocation import assignment, version_manager
    from localstack.services.lambda_.invocation.lambda_models import InitializationType

    class Environment:
        initialization_type = None

        def __init__(self, number):
            self.id = number

        def reserve(self):
            if self.id == 0:
                raise assignment.InvalidStatusException("invoking")

        def release(self):
            pass

    assert "get_environment" in _names(version_manager.LambdaVersionManager.invoke)
    entered = []
    for patch in (lambda: None, internals.contested_environments):
        patch()
        service, numbers = assignment.AssignmentService(), itertools.count()
        service.start_environment = lambda *_, numbers=numbers: Environment(next(numbers))
        get = service.get_environment("version", None, InitializationType.on_demand)
        with contextlib.suppress(assignment.InvalidStatusException), get as environment:
            entered.append(environment.id)
    assert entered == [1]


def idle_environments():
    """A release starts a timer of ten minutes for any version; after the patch a second one looks at the aliases."""
    from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment, RuntimeStatus
    from localstack.services.lambda_.invocation.lambda_models import AliasRoutingConfig, VersionAlias, VersionIdentifier
    from localstack.services.lambda_.invocation.models import lambda_stores

    from local_aws.extension import idle

    assert {"last_returned", "keepalive_passed"} <= set(_names(ExecutionEnvironment.release))
    assert {"READY", "INVOKING"} <= set(RuntimeStatus.__members__)
    assert "version_weights" in _parameters(AliasRoutingConfig)
    assert {"function_version", "routing_configuration"} <= set(_parameters(VersionAlias))
    assert not idle.is_served(VersionIdentifier("gone", "1", "us-west-2", "000000000000"))
    assert lambda_stores["000000000000"]["us-west-2"].functions == {}
    before = ExecutionEnvironment.release
    internals.idle_environments()
    assert ExecutionEnvironment.release is not before


def shares_of_an_alias():
    """UpdateAlias leaves out the version that its check requires; after the patch it may."""
    from localstack.services.lambda_.invocation.lambda_models import AliasRoutingConfig
    from localstack.services.lambda_.provider import LambdaProvider

    version = inspect.signature(LambdaProvider._create_routing_config_model).parameters["function_version"]
    assert version.default is version.empty
    assert "_create_routing_config_model" in _names(LambdaProvider.update_alias)
    internals.shares_of_an_alias()
    created = LambdaProvider._create_routing_config_model(None, {"2": 0.1})
    assert created == AliasRoutingConfig(version_weights={"2": 0.1})


def executor():
    """Our executor has every method that LocalStack wants, and gets the words and settings that it reads."""
    from localstack import config
    from localstack.services.lambda_.invocation import lambda_models, runtime_executor
    from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment

    config.LAMBDA_RUNTIME_EXECUTOR = "image"
    ours = runtime_executor.get_runtime_executor()
    assert ours.__name__ == "ImageExecutor"
    assert not ours.__abstractmethods__
    assert ours("id", None).id == "id"
    words = {"invoke-id", "invoked-function-arn", "payload", "trace-id"}
    assert words <= {word for one in _constants(ExecutionEnvironment.invoke) for word in _words(one)}
    output = {word for one in _constants(ExecutionEnvironment.get_environment_variables) for word in _words(one)}
    assert {"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ENDPOINT_URL", "EDGE_PORT"} <= output
    result = lambda_models.InvocationResult("id", b"payload", is_error=True, logs="log")
    assert (result.request_id, result.payload, result.is_error, result.logs) == ("id", b"payload", True, "log")
    wanted = {"timeout", "memory_size", "ephemeral_storage", "image_config", "image", "package_type"}
    assert wanted <= set(lambda_models.VersionFunctionConfiguration.__annotations__)
    assert {"working_directory", "command", "entrypoint"} <= set(lambda_models.ImageConfig.__annotations__)
    assert isinstance(lambda_models.FunctionVersion.qualified_arn, property)
    assert {"function_name", "qualifier", "account", "region"} <= set(lambda_models.VersionIdentifier.__annotations__)


def _words(constant):
    return constant if isinstance(constant, tuple) else (constant,)


def configuration_of_an_alias():
    """GetFunctionConfiguration looks for a version by the qualifier; after the patch it asks GetFunction."""
    from localstack.services.lambda_.provider import LambdaProvider

    original = LambdaProvider.get_function_configuration
    assert _parameters(original)[1:4] == ["context", "function_name", "qualifier"]
    assert "aliases" not in _names(original)
    assert "aliases" in _names(LambdaProvider.get_function) or "get_alias" in _names(LambdaProvider.get_function)
    internals.configuration_of_an_alias()
    assert _names(LambdaProvider.get_function_configuration) == _names(original)  # unwrapped
    assert LambdaProvider.get_function_configuration is not original


def function_resource():
    """The stock provider never sets the reserved concurrency; after the patch ours, built upon it, does."""
    from localstack.services.lambda_.resource_providers.aws_lambda_function import LambdaFunctionProperties
    from localstack.services.lambda_.resource_providers.generated.aws_lambda_function_plugin import (
        LambdaFunctionProviderPlugin,
    )

    plugin = LambdaFunctionProviderPlugin()
    plugin.load()
    stock = plugin.factory
    assert "ReservedConcurrentExecutions" in LambdaFunctionProperties.__annotations__
    for method in (stock.create, stock.update):
        assert "put_function_concurrency" not in _names(method)
    internals.function_resource()
    plugin.load()
    assert issubclass(plugin.factory, stock)
    for method in (plugin.factory.create, plugin.factory.update):
        assert "_reserve" in _names(method)
