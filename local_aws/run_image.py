"""Run an OCI image layout's function without LocalStack: `with run_image(layout) as function: function.invoke({})`."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local_aws import engine_choice
from local_aws.engine import Engine
from local_aws.environment import Environment, Reply
from local_aws.image import from_layout
from local_aws.logs import Sink
from local_aws.sandbox import FunctionSettings

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "test"}


@dataclass(frozen=True)
class Function:
    """A started function."""

    environment: Environment
    lines: list[str]  # every log line so far

    def invoke(self, event: Any, request_id: str | None = None) -> Reply:
        """Invoke with an event: a JSON-serialisable value, or bytes sent verbatim."""
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.environment.invoke(request_id or create_request_id(), payload)


@contextmanager
def run_image(
    layout: Path,
    settings: FunctionSettings | None = None,
    engine: Engine | None = None,
    sink: Sink = lambda _: None,
) -> Iterator[Function]:
    """Run the image of an OCI layout folder as a function until the block ends. `sink` receives each log line.

    The first invocation reports a failed init phase. Raises InvalidImage for a damaged layout.
    """
    from nix.cache.folder import in_use

    settings = settings or FunctionSettings(memory_mb=2048, timeout_s=30)
    settings = replace(settings, environment=create_lambda_environment(settings))
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line)
        sink(line)

    with in_use():  # keeps the unpacked layers from being pruned
        environment = Environment(from_layout(layout), settings, engine or engine_choice.choose(), log)
        try:
            environment.start()
            yield Function(environment, lines)
        finally:
            environment.stop()


def create_lambda_environment(settings: FunctionSettings) -> Mapping[str, str]:
    """Return Lambda's own variables, overridden by the function's."""
    return {
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_LAMBDA_FUNCTION_NAME": settings.name,
        "AWS_LAMBDA_FUNCTION_VERSION": settings.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{settings.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[{settings.version}]",
        "TZ": ":UTC",
        **CREDENTIALS,
        **settings.environment,
    }


def create_request_id() -> str:
    """Return a request id in AWS's format."""
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
