"""Execution environments of LocalStack's Lambda: ours, one for each of its executors."""

import logging
import threading

from localstack.aws.api.lambda_ import PackageType
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from local_aws import engines
from local_aws.environment import Environment
from local_aws.extension import image_code
from local_aws.extension.log_writer import LogStream
from local_aws.sandbox import FunctionSettings

LOG = logging.getLogger(__name__)
_engine = None
_engine_lock = threading.Lock()
_closed = threading.Event()
running: dict[str, "ImageExecutor"] = {}


def engine():
    """The engine of this instance; chosen once."""
    global _engine
    with _engine_lock:
        if _engine is None:
            _engine = engines.choose()
        return _engine


def stop_all() -> None:
    """End every execution environment for good: batches that still come would start others, and wait for them."""
    _closed.set()
    for executor in list(running.values()):
        try:
            executor.stop()
        except Exception as error:  # one that cannot be ended must not keep the others
            LOG.warning("execution environment %s: %s", executor.id, error)


class ImageExecutor(RuntimeExecutor):
    """One execution environment of one version of a function."""

    environment: Environment | None = None
    ended = False

    def start(self, env_vars: dict[str, str]) -> None:
        """Start the container and run its init phase."""
        variables = {
            key: str(value)
            for key, value in env_vars.items()
            if value is not None and not key.startswith("LOCALSTACK_") and key != "EDGE_PORT"
        }
        group, stream = env_vars["AWS_LAMBDA_LOG_GROUP_NAME"], env_vars["AWS_LAMBDA_LOG_STREAM_NAME"]
        identity = self.function_version.id
        self.log = LogStream(identity.account, identity.region, group, stream)
        image = image_code.unpack(self.function_version.config.image)
        settings = function_settings(self.function_version, variables)
        self.environment = Environment(image, settings, engine(), self.log.add, container_name(self.id))
        running[self.id] = self
        if self.ended or _closed.is_set():  # while the image was unpacked
            self.stop()
        self.environment.start()

    def stop(self) -> None:
        """End the container, also one that is about to start."""
        self.ended = True
        running.pop(self.id, None)
        if self.environment:
            self.environment.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation; its log went to CloudWatch Logs already, the result has the tail."""
        assert self.environment is not None  # LocalStack invokes after start
        reply = self.environment.invoke(
            payload["invoke-id"], payload["payload"].encode(), payload["invoked-function-arn"], payload["trace-id"]
        )
        self.log.flush()
        return InvocationResult(payload["invoke-id"], reply.payload, is_error=reply.error, logs=reply.log)

    def get_logs(self) -> str:
        """Nothing: the log is in CloudWatch Logs."""
        return ""

    def get_address(self) -> str:
        """Where the environment is reached."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Where the environment reaches LocalStack."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Nothing: only LocalStack's own init program asks for it."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the image, so that the function is Active only when it can start."""
        if function_version.config.package_type != PackageType.Image:
            raise NotImplementedError("the local AWS runs container images only, no zip functions")
        image_code.unpack(function_version.config.image)

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing: layers are shared."""


def container_name(executor_id: str) -> str:
    """The container's name: it begins with the instance's, so that another start finds what a killed one left."""
    import os

    return f"{os.environ['LOCAL_AWS_KEY']}-{executor_id}"


def function_settings(version: FunctionVersion, variables: dict[str, str]) -> FunctionSettings:
    """LocalStack's description of a version as our settings."""
    config = version.config
    override = config.image_config
    return FunctionSettings(
        name=version.id.function_name,
        version=version.id.qualifier,
        arn=version.qualified_arn,
        timeout_s=float(config.timeout),
        memory_mb=config.memory_size,
        tmp_mb=config.ephemeral_storage.size if config.ephemeral_storage else 512,
        environment=variables,
        entrypoint=tuple((override and override.entrypoint) or ()),
        command=tuple((override and override.command) or ()),
        working_directory=(override and override.working_directory) or "",
    )
