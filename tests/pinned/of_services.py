"""Of S3, CloudFormation and CloudWatch Logs."""

import inspect
import threading
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

from local_aws.extension import change_sets, internals


def whole_services():
    """A request passes while another one adds the handlers of its service; after the patch it waits for them."""
    from localstack.aws.handlers.service_plugin import ServiceLoader
    from localstack.services.plugins import Service

    class Slow(Service):
        def __init__(self):
            self.begun, self.goes_on = threading.Event(), threading.Event()

        @property
        def skeleton(self):
            self.begun.set()
            return self.goes_on.wait(120)

    context = SimpleNamespace(service=SimpleNamespace(service_name="sqs"))
    for patch, waits in ((lambda: None, False), (internals.whole_services, True)):
        patch()
        service, added = Slow(), []
        manager = SimpleNamespace(exists=lambda _: True, require=lambda _, service=service: service)
        loader = ServiceLoader(manager, SimpleNamespace(add_skeleton=added.append))
        first, second = (threading.Thread(target=loader, args=(None, context, None)) for _ in range(2))
        first.start()
        assert service.begun.wait(120)
        second.start()
        second.join(0.5 if waits else 120)
        assert (second.is_alive(), added) == (waits, [])
        service.goes_on.set()
        first.join(120)
        second.join(120)
        assert added == [True]


def private_s3_storage():
    """S3's folder is a constant outside the instance, read when the provider is made; ours is the instance's."""
    from localstack.services.s3 import provider

    assert not provider.DEFAULT_S3_TMP_DIR.startswith(str(Path.cwd()))
    internals.private_s3_storage()
    assert provider.S3Provider()._storage_backend.root_directory == str(Path.cwd() / "s3")


def _request(model):
    return SimpleNamespace(
        desired_state=model,
        previous_state=model,
        stack_name="stack",
        logical_resource_id="One",
        account_id="0" * 12,
        region_name="us-west-2",
        custom_context={},
        aws_client_factory=MagicMock(),
    )


def repository_resource():
    """The plugin's load sets `factory` to a provider that calls nothing; after the patch, to ours, which calls ECR."""
    from localstack.services.cloudformation.resource_provider import ResourceProvider
    from localstack.services.ecr.resource_providers.aws_ecr_repository_plugin import ECRRepositoryProviderPlugin

    plugin, request = ECRRepositoryProviderPlugin(), _request({"RepositoryName": "one"})
    plugin.load()
    plugin.factory().create(request)
    assert request.aws_client_factory.mock_calls == []
    internals.repository_resource()
    plugin.load()
    assert issubclass(plugin.factory, ResourceProvider)
    plugin.factory().create(request)
    assert request.aws_client_factory.ecr.create_repository.called


def log_group_resource():
    """The stock provider drops RetentionInDays and cannot update; after the patch ours, built upon it, does both."""
    from localstack.services.logs.resource_providers.aws_logs_loggroup_plugin import LogsLogGroupProviderPlugin

    plugin, request = LogsLogGroupProviderPlugin(), _request({"LogGroupName": "one", "RetentionInDays": 7})
    plugin.load()
    stock = plugin.factory
    stock().create(request)
    assert not request.aws_client_factory.logs.put_retention_policy.called
    assert "NotImplementedError" in stock.update.__code__.co_names
    internals.log_group_resource()
    plugin.load()
    assert issubclass(plugin.factory, stock)
    for change in (plugin.factory().create, plugin.factory().update):
        change(request)
    assert request.aws_client_factory.logs.put_retention_policy.call_count == 2


def role_resource():
    """The stock update leaves inline policies as they are; after the patch ours, built upon it, changes them."""
    from localstack.services.iam.resource_providers.aws_iam_role_plugin import IAMRoleProviderPlugin

    plugin, request = IAMRoleProviderPlugin(), _request({"RoleName": "one", "Policies": [_policy("kept")]})
    request.previous_state = {**request.desired_state, "Policies": [_policy("gone")]}
    plugin.load()
    stock, iam = plugin.factory, request.aws_client_factory.iam
    stock().update(request)
    assert iam.mock_calls == []
    internals.role_resource()
    plugin.load()
    assert issubclass(plugin.factory, stock)
    assert plugin.factory().update(request).resource_model["RoleName"] == "one"
    assert [call.kwargs["PolicyName"] for call in iam.put_role_policy.mock_calls] == ["kept"]
    assert [call.kwargs["PolicyName"] for call in iam.delete_role_policy.mock_calls] == ["gone"]


def reverted_drift():
    """A change set forgets its deployment mode; after the patch it remembers it. Resources can be copied.

    An update leaves the stack's other change sets available; after the patch they are obsolete.
    """
    from localstack.aws.api.cloudformation import ExecutionStatus
    from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
    from localstack.services.cloudformation.engine.v2.change_set_model_preproc import (
        ChangeSetModelPreproc,
        PreprocResource,
    )
    from localstack.services.cloudformation.stores import cloudformation_stores
    from localstack.services.cloudformation.v2.entities import ChangeSet

    stack, request = SimpleNamespace(account_id="0" * 12, region_name="us-west-2"), {"ChangeSetName": "one"}
    known = cloudformation_stores["0" * 12]["us-west-2"].change_sets
    prepared, executed = (ChangeSet(stack, {"ChangeSetName": name}, "") for name in ("prepared", "executed"))
    known[prepared.change_set_id] = prepared
    stack.change_set_ids = {prepared.change_set_id, executed.change_set_id}
    assert "OBSOLETE" not in inspect.getsource(ChangeSetModelExecutor)
    assert not hasattr(ChangeSet(stack, request | {"DeploymentMode": "REVERT_DRIFT"}, ""), "reverts_drift")
    internals.reverted_drift()
    change_sets.make_others_obsolete(executed)
    assert (prepared.execution_status, executed.execution_status) == (
        ExecutionStatus.OBSOLETE,
        ExecutionStatus.AVAILABLE,
    )
    del known[prepared.change_set_id]
    for mode in ("REVERT_DRIFT", None):
        result = ChangeSet(stack, request | {"DeploymentMode": mode}, "")
        assert result.reverts_drift == bool(mode)
    assert issubclass(ChangeSetModelExecutor, ChangeSetModelPreproc)
    parts = list(inspect.signature(PreprocResource.__init__).parameters)[1:]
    resource = PreprocResource(**dict.fromkeys(parts))
    assert set(vars(resource)) == set(parts)


def _policy(name):
    return {"PolicyName": name, "PolicyDocument": {"Statement": []}}


def resource_providers():
    """Requests and progress events of CloudFormation's providers have the fields that ours use."""
    import localstack.services.cloudformation.provider_utils as util
    from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest

    wanted = {"desired_state", "previous_state", "aws_client_factory", "stack_name", "logical_resource_id"}
    assert wanted <= set(ResourceRequest.__annotations__)
    assert ProgressEvent(status=OperationStatus.SUCCESS, resource_model={}).resource_model == {}
    assert util.generate_default_name("stack", "One").startswith("stack-One-")


def log_lines():
    """An internal client is made from an account and a region, and knows the errors that the log's writer expects."""
    from localstack.aws.connect import connect_to

    client = connect_to(aws_access_key_id="0" * 12, region_name="us-west-2").logs
    for name in ("ResourceAlreadyExistsException", "ResourceNotFoundException"):
        assert issubclass(getattr(client.exceptions, name), Exception)


def status_route():
    """All functions are found by walking the stores of all accounts and regions."""
    from localstack.services.lambda_.invocation.lambda_models import (
        Function,
        FunctionVersion,
        VersionFunctionConfiguration,
    )
    from localstack.services.lambda_.invocation.models import lambda_stores

    lambda_stores["0" * 12]["us-west-2"]
    ((account, region, store),) = lambda_stores.iter_stores()
    assert (account, region, store.functions) == ("0" * 12, "us-west-2", {})
    assert list(inspect.signature(Function.latest).parameters) == ["self"]
    assert {"id", "config"} <= set(FunctionVersion.__annotations__)
    assert {"state", "image"} <= set(VersionFunctionConfiguration.__annotations__)


def filter_patterns():
    """The provider asks its module for a matcher of pattern and event, which matches all; after the patch ours."""
    from localstack.services.logs import provider

    assert list(inspect.signature(provider.get_pattern_matcher).parameters) == ["pattern"]
    assert provider.get_pattern_matcher("a")("a", {"message": "b"})
    internals.filter_patterns()
    assert not provider.get_pattern_matcher("a")("a", {"message": "b"})
    assert provider.get_pattern_matcher(None)(None, {"message": "b"})
