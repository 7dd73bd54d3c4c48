"""Every reach into LocalStack's and moto's internals that no extension point offers; each has a test of its name."""

import os
from pathlib import Path


def apply_at_start() -> None:
    """Before any service is made."""
    private_s3_storage()
    repository_uris()
    image_sizes()
    repository_resource()
    log_group_resource()
    role_resource()
    thrifty_transactions()
    quick_dynamodb()
    gathered_metrics()


def apply_to_lambda() -> None:
    """Before the Lambda provider is made."""
    image_code_without_docker()
    logs_written_once()
    parallel_batches()
    disabled_means_disabled()
    shares_of_an_alias()


def private_s3_storage() -> None:
    """S3 keeps objects in a constant folder of /tmp, shared by all instances and users: use the instance's."""
    import localstack.services.s3.provider as module

    module.DEFAULT_S3_TMP_DIR = str(Path(os.environ["LOCAL_AWS_INSTANCE"]) / "s3")


def repository_uris() -> None:
    """moto's repositories have amazonaws.com URIs: name the local registry."""
    from moto.ecr import models

    from local_aws.extension import registry

    original = models.Repository.__init__

    def with_local_uri(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.uri = f"{registry.HOST}/{self.name}"

    models.Repository.__init__ = with_local_uri


def image_sizes() -> None:
    """moto invents an image's size: sum the manifest's blobs, as ECR does."""
    import json

    from moto.ecr import models

    def size(self):
        manifest = json.loads(self.image_manifest)
        parts = [manifest["config"], *manifest["layers"]] if "layers" in manifest else []
        return sum(part["size"] for part in parts) or None

    models.Image.get_image_size_in_bytes = size


def repository_resource() -> None:
    """CloudFormation's AWS::ECR::Repository is a mock that creates nothing: ours calls ECR."""
    from localstack.services.ecr.resource_providers import aws_ecr_repository_plugin as module

    def load(self):
        from local_aws.extension.ecr_resource import RepositoryProvider

        self.factory = RepositoryProvider

    module.ECRRepositoryProviderPlugin.load = load


def log_group_resource() -> None:
    """CloudFormation's AWS::Logs::LogGroup ignores RetentionInDays and cannot be updated: ours can."""
    from localstack.services.logs.resource_providers import aws_logs_loggroup_plugin as module

    def load(self):
        from local_aws.extension.log_group_resource import LogGroupProvider

        self.factory = LogGroupProvider

    module.LogsLogGroupProviderPlugin.load = load


def role_resource() -> None:
    """CloudFormation's AWS::IAM::Role keeps the inline policies of its creation: ours takes those of an update."""
    from localstack.services.iam.resource_providers import aws_iam_role_plugin as module

    def load(self):
        from local_aws.extension.role_resource import RoleProvider

        self.factory = RoleProvider

    module.IAMRoleProviderPlugin.load = load


def thrifty_transactions() -> None:
    """moto copies whole tables before each transaction: copy what it may change."""
    from local_aws.extension import snapshots

    snapshots.install()


def quick_dynamodb() -> None:
    """moto parses, copies and measures the same things again and again for one call: once is enough."""
    from local_aws.extension import quick_dynamodb as module

    module.install()


def gathered_metrics() -> None:
    """SQS publishes each message's metrics by calls of their own to CloudWatch: gather those of a second in one."""
    import localstack.services.sqs.provider as module

    from local_aws.extension.queue_metrics import GatheringDispatcher

    module.CloudwatchDispatcher = GatheringDispatcher


def image_code_without_docker() -> None:
    """The Lambda provider asks Docker for an image's digest: ask the registry."""
    import localstack.services.lambda_.provider as module

    from local_aws.extension.image_code import create_image_code

    module.create_image_code = create_image_code


def logs_written_once() -> None:
    """LocalStack writes a function's log after the invocation; ours went out line by line already."""
    from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager

    LambdaVersionManager.store_logs = lambda self, invocation_result, execution_env: None


def parallel_batches() -> None:
    """LocalStack invokes one batch of an SQS mapping at a time and ignores MaximumConcurrency: use our poller."""
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
    """A mapping is told to be disabled while its old poller still receives: let stop and delete wait for its end."""
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker

    from local_aws.extension.queue_poller import QueuePoller

    def waiting(original):
        def wrapped(self):
            original(self)
            if isinstance(self.poller, QueuePoller):
                self.poller.stop_receiving()

        return wrapped

    for name in ("stop", "delete"):
        setattr(EsmWorker, name, waiting(getattr(EsmWorker, name)))


def shares_of_an_alias() -> None:
    """UpdateAlias with a share for a second version calls its own check without an argument: let it pass."""
    from localstack.services.lambda_.invocation.lambda_models import AliasRoutingConfig
    from localstack.services.lambda_.provider import LambdaProvider

    original = LambdaProvider._create_routing_config_model

    def with_default(self, routing_config_dict, function_version=None):
        if function_version is None:
            return AliasRoutingConfig(version_weights=routing_config_dict)
        return original(self, routing_config_dict, function_version)

    LambdaProvider._create_routing_config_model = with_default
