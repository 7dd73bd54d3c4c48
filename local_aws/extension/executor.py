"""Executor of LocalStack's Lambda that runs each environment as a container of our own."""

import functools
import logging
import threading

from localstack.aws.api.lambda_ import PackageType
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from local_aws import engine_choice, network
from local_aws.environment import Environment
from local_aws.extension import image_code, loopback_server, metrics
from local_aws.extension.log_writer import LogStream
from local_aws.sandbox import FunctionSettings

LOG = logging.getLogger(__name__)
_engine = None
_engine_lock = threading.Lock()
_closed = threading.Event()
running: dict[str, "ImageExecutor"] = {}


def get_engine():
    """Return this instance's engine, chosen once."""
    global _engine
    with _engine_lock:
        if _engine is None:
            _engine = engine_choice.choose()
        return _engine


def stop_all() -> None:
    """Stop every execution environment permanently, so that late batches do not start new ones and wait for them.

    Idempotent. One that fails to stop is logged, and the others are stopped.
    """
    _closed.set()
    for executor in list(running.values()):
        try:
            executor.stop()
        except Exception as error:  # one that fails to stop must not keep the others running
            LOG.warning("execution environment %s: %s", executor.id, error)


class ImageExecutor(RuntimeExecutor):
    """One execution environment of one version of a function."""

    environment: Environment | None = None
    ended = False

    def start(self, env_vars: dict[str, str]) -> None:
        """Start the container and run its init phase.

        Blocks until the function is ready; raises as the environment does if its init phase fails. LocalStack's own
        variables are not passed on, empty ones are.
        """
        variables = {
            key: str(value)
            for key, value in env_vars.items()
            if value is not None and not key.startswith("LOCALSTACK_") and key != "EDGE_PORT"
        }
        group, stream = env_vars["AWS_LAMBDA_LOG_GROUP_NAME"], env_vars["AWS_LAMBDA_LOG_STREAM_NAME"]
        identity = self.function_version.id
        self.log = LogStream(identity.account, identity.region, group, stream)
        image = image_code.unpack(self.function_version.config.image)
        settings = convert_version(self.function_version, variables)
        self.environment = Environment(image, settings, get_engine(), self.log.add, create_container_name(self.id))
        running[self.id] = self
        if self.ended or _closed.is_set():  # stopped while the image was being unpacked
            self.stop()
        self.environment.start()

    def stop(self) -> None:
        """Stop the container, even while it is starting."""
        self.ended = True
        running.pop(self.id, None)
        if self.environment:
            self.environment.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation. Its log is already in CloudWatch Logs; the result contains the tail."""
        assert self.environment is not None  # LocalStack invokes only after start
        reply = self.environment.invoke(
            payload["invoke-id"], payload["payload"].encode(), payload["invoked-function-arn"], payload["trace-id"]
        )
        self.log.flush()
        identity, report = self.function_version.id, reply.report
        metrics.of_function(
            identity.account, identity.region, identity.function_name, "Duration", report.duration_ms, "Milliseconds"
        )
        return InvocationResult(payload["invoke-id"], reply.payload, is_error=reply.error, logs=reply.log)

    def get_logs(self) -> str:
        """Return nothing: the log is in CloudWatch Logs."""
        return ""

    def get_address(self) -> str:
        """Return the environment's address."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return the address at which the environment reaches LocalStack."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Return nothing: only LocalStack's own init program needs it."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the image, so that the function becomes Active only once it can start.

        Raises NotImplementedError for a zip function.
        """
        if function_version.config.package_type != PackageType.Image:
            raise NotImplementedError("the local AWS runs container images only, no zip functions")
        image_code.unpack(function_version.config.image)

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Do nothing: layers are shared."""


def create_container_name(executor_id: str) -> str:
    """Return the container's name, prefixed by the instance's so that a restart finds leftovers of a killed one."""
    import os

    return f"{os.environ['LOCAL_AWS_KEY']}-{executor_id}"


@functools.cache
def get_services():
    """Return what functions reach: the gateway, and what this instance was started with; None: the whole network."""
    result = network.parse(network.read_reach())
    return None if result is None else (loopback_server.service(), *result)


def convert_version(version: FunctionVersion, variables: dict[str, str]) -> FunctionSettings:
    """Convert LocalStack's description of a version to our settings."""
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
        services=get_services(),
        entrypoint=tuple((override and override.entrypoint) or ()),
        command=tuple((override and override.command) or ()),
        working_directory=(override and override.working_directory) or "",
    )
