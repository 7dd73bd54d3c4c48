"""Patches of LocalStack's and moto's internals where no extension point exists. Each has a test of the same name."""

import os
from importlib import import_module
from pathlib import Path


def apply_at_start() -> None:
    """Apply the patches that must precede every service."""
    whole_services()
    private_s3_storage()
    repository_uris()
    image_sizes()
    repository_resource()
    log_group_resource()
    role_resource()
    reverted_drift()
    thrifty_transactions()
    quick_dynamodb()
    gathered_metrics()
    ages_of_queues()
    whole_dimensions()
    evaluated_alarms()
    alarm_resource()
    filter_patterns()


def apply_to_lambda() -> None:
    """Apply the patches that must precede the Lambda provider."""
    image_code_without_docker()
    logs_written_once()
    parallel_batches()
    disabled_means_disabled()
    contested_environments()
    idle_environments()
    shares_of_an_alias()
    metrics_of_functions()
    configuration_of_an_alias()
    function_resource()


def whole_services() -> None:
    """Make a service's first requests wait for all of its handlers; LocalStack answers the second one with 501."""
    from localstack.aws.handlers.service_plugin import ServiceLoader

    original = ServiceLoader.require_service

    def require_service(self, chain, context, response):
        original(self, chain, context, response)
        if context.service:
            with self.service_locks[context.service.service_name]:  # held by the thread that adds them
                pass

    ServiceLoader.require_service = require_service


def private_s3_storage() -> None:
    """Store S3 objects in the instance's folder instead of one in /tmp that all instances and users share."""
    import localstack.services.s3.provider as module

    module.DEFAULT_S3_TMP_DIR = str(Path(os.environ["LOCAL_AWS_INSTANCE"]) / "s3")


def repository_uris() -> None:
    """Give repositories URIs of the local registry instead of amazonaws.com."""
    from moto.ecr import models

    from local_aws.extension import registry

    original = models.Repository.__init__

    def with_local_uri(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.uri = f"{registry.HOST}/{self.name}"

    models.Repository.__init__ = with_local_uri


def image_sizes() -> None:
    """Compute an image's size from the manifest's blobs, as ECR does; moto makes one up."""
    import json

    from moto.ecr import models

    def size(self):
        manifest = json.loads(self.image_manifest)
        parts = [manifest["config"], *manifest["layers"]] if "layers" in manifest else []
        return sum(part["size"] for part in parts) or None

    models.Image.get_image_size_in_bytes = size


def _load(plugin, module: str, name: str) -> None:
    """Make one of CloudFormation's plugins load this project's provider, a subclass of LocalStack's own."""

    def load(self):
        self.factory = getattr(import_module(f"local_aws.extension.{module}"), name)

    plugin.load = load


def repository_resource() -> None:
    """Replace CloudFormation's AWS::ECR::Repository, a mock that creates nothing."""
    from localstack.services.ecr.resource_providers import aws_ecr_repository_plugin as module

    _load(module.ECRRepositoryProviderPlugin, "ecr_resource", "RepositoryProvider")


def log_group_resource() -> None:
    """Replace CloudFormation's AWS::Logs::LogGroup, which ignores RetentionInDays and cannot be updated."""
    from localstack.services.logs.resource_providers import aws_logs_loggroup_plugin as module

    _load(module.LogsLogGroupProviderPlugin, "log_group_resource", "LogGroupProvider")


def role_resource() -> None:
    """Replace CloudFormation's AWS::IAM::Role, which ignores inline policies in updates."""
    from localstack.services.iam.resource_providers import aws_iam_role_plugin as module

    _load(module.IAMRoleProviderPlugin, "role_resource", "RoleProvider")


def reverted_drift() -> None:
    """Honour DeploymentMode=REVERT_DRIFT of change sets, and make those obsolete that an update came before."""
    from local_aws.extension import change_sets

    change_sets.install()


def thrifty_transactions() -> None:
    """Copy only the items that a transaction may change; moto copies whole tables."""
    from local_aws.extension import transaction_snapshots

    transaction_snapshots.install()


def quick_dynamodb() -> None:
    """Cache what moto parses, copies and measures repeatedly for one call."""
    from local_aws.extension import dynamodb_speedups as module

    module.install()


def gathered_metrics() -> None:
    """Batch SQS metrics; LocalStack makes one call to CloudWatch for each message."""
    import localstack.services.sqs.provider as module

    from local_aws.extension.metrics import GatheringDispatcher

    module.CloudwatchDispatcher = GatheringDispatcher


def ages_of_queues() -> None:
    """Publish the age of the oldest message, which LocalStack does not compute."""
    from localstack.services.sqs.provider import CloudwatchPublishWorker as Worker

    from local_aws.extension.metrics import publishing_ages

    Worker.publish_approximate_cloudwatch_metrics = publishing_ages(Worker.publish_approximate_cloudwatch_metrics)


def whole_dimensions() -> None:
    """Match whole values of dimensions: asked for a queue `one`, LocalStack adds the metrics of a queue `one-more`."""
    from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase

    original = CloudwatchDatabase._get_ordered_dimensions_with_separator

    def whole(self, dims, for_search=False):
        text = original(self, dims)
        return text if not (text and for_search) else f"%{text.replace(chr(9), chr(9) + '%')}"

    CloudwatchDatabase._get_ordered_dimensions_with_separator = whole


def evaluated_alarms() -> None:
    """Evaluate alarms every minute and with metric math."""
    from localstack.services.cloudwatch.alarm_scheduler import AlarmScheduler

    from local_aws.extension import alarms

    AlarmScheduler.schedule_metric_alarm = alarms.schedule
    alarms.install()


def alarm_resource() -> None:
    """Replace CloudFormation's AWS::CloudWatch::Alarm, which cannot be updated."""
    from localstack.services.cloudwatch.resource_providers import aws_cloudwatch_alarm_plugin as module

    _load(module.CloudWatchAlarmProviderPlugin, "alarm_resource", "AlarmProvider")


def function_resource() -> None:
    """Replace CloudFormation's AWS::Lambda::Function, which ignores ReservedConcurrentExecutions."""
    from localstack.services.lambda_.resource_providers.generated import aws_lambda_function_plugin as module

    _load(module.LambdaFunctionProviderPlugin, "function_resource", "FunctionProvider")


def metrics_of_functions() -> None:
    """Batch the metrics of functions, as those of queues, and count throttled invocations."""
    from localstack.services.lambda_.invocation import version_manager
    from localstack.services.lambda_.invocation.counting_service import CountingService

    from local_aws.extension import metrics

    version_manager.record_cw_metric_invocation = metrics.count_success
    version_manager.record_cw_metric_error = metrics.count_failure
    CountingService.get_invocation_lease = metrics.counting_throttles(CountingService.get_invocation_lease)


def filter_patterns() -> None:
    """Evaluate filter patterns of logs; LocalStack's matcher, made to be replaced, matches everything."""
    from localstack.aws.api import CommonServiceException
    from localstack.services.logs import provider

    from local_aws import log_patterns

    def get_pattern_matcher(pattern):
        try:
            matches = log_patterns.compile_pattern(pattern or "")
        except ValueError as error:
            raise CommonServiceException("InvalidParameterException", str(error)) from None
        return lambda _, event: matches(event["message"])

    provider.get_pattern_matcher = get_pattern_matcher


def configuration_of_an_alias() -> None:
    """Resolve an alias in GetFunctionConfiguration, as GetFunction does; LocalStack looks for a version of its name."""
    import functools

    from localstack.services.lambda_.provider import LambdaProvider

    original = LambdaProvider.get_function_configuration

    @functools.wraps(original)
    def get_function_configuration(self, context, function_name, qualifier=None, **kwargs):
        return self.get_function(context, function_name, qualifier)["Configuration"]

    LambdaProvider.get_function_configuration = get_function_configuration


def image_code_without_docker() -> None:
    """Resolve an image's digest in the registry instead of Docker."""
    import localstack.services.lambda_.provider as module

    from local_aws.extension.image_code import create_image_code

    module.create_image_code = create_image_code


def logs_written_once() -> None:
    """Skip LocalStack's log of an invocation, which has already been written line by line."""
    from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

    LambdaVersionManager.store_logs = lambda self, invocation_result, execution_env: None


def parallel_batches() -> None:
    """Use our poller, which honours MaximumConcurrency; LocalStack's invokes one batch at a time."""
    from localstack.services.lambda_.event_source_mapping import esm_worker_factory as module

    from local_aws.extension.queue_poller import QueuePoller

    module.SqsPoller = QueuePoller
    original = module.EsmWorkerFactory.get_esm_worker

    def with_limit(self):
        worker = original(self)
        if isinstance(worker.poller, QueuePoller):
            worker.poller.limit((self.esm_config.get("ScalingConfig") or {}).get("MaximumConcurrency"))
        return worker

    module.EsmWorkerFactory.get_esm_worker = with_limit


def disabled_means_disabled() -> None:
    """Make stop and delete wait for a mapping's poller; LocalStack reports Disabled while it still receives."""
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker

    from local_aws.extension.queue_poller import QueuePoller, ignore_replaced_workers

    ignore_replaced_workers(EsmWorker)

    def waiting(original):
        def stop_both(self):
            original(self)
            if isinstance(self.poller, QueuePoller):
                self.poller.stop_receiving()

        return stop_both

    for name in ("stop", "delete"):
        setattr(EsmWorker, name, waiting(getattr(EsmWorker, name)))


def contested_environments() -> None:
    """Look again for an environment if another invocation was quicker; LocalStack fails the slower one."""
    import contextlib

    from localstack.services.lambda_.invocation.assignment import AssignmentService
    from localstack.services.lambda_.invocation.execution_environment import InvalidStatusException

    original = AssignmentService.get_environment

    @contextlib.contextmanager
    def get_environment(self, *args, **kwargs):
        with contextlib.ExitStack() as stack:
            while True:
                try:
                    environment = stack.enter_context(original(self, *args, **kwargs))
                    break
                except InvalidStatusException:  # reserved between its start and its reservation
                    continue
                except RuntimeError as error:  # another one started while this looked through all
                    if "changed size during iteration" not in str(error):
                        raise
            yield environment

    AssignmentService.get_environment = get_environment


def idle_environments() -> None:
    """End idle environments of versions that nothing serves; LocalStack keeps all of them for ten minutes."""
    from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment

    from local_aws.extension import idle

    original = ExecutionEnvironment.release

    def release(self):
        original(self)
        idle.watch(self)

    ExecutionEnvironment.release = release


def shares_of_an_alias() -> None:
    """Fix UpdateAlias with a second version, which calls its own check without an argument."""
    from localstack.services.lambda_.invocation.lambda_models import AliasRoutingConfig
    from localstack.services.lambda_.provider import LambdaProvider

    original = LambdaProvider._create_routing_config_model

    def with_default(self, routing_config_dict, function_version=None):
        if function_version is None:
            return AliasRoutingConfig(version_weights=routing_config_dict)
        return original(self, routing_config_dict, function_version)

    LambdaProvider._create_routing_config_model = with_default
