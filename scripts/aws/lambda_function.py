"""The Lambda function: its state, its versions and its alias. Every change waits, acts, and waits again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..console.errors import Conflict, NotFound, OperationFailed
from ..console.interrupts import defer_interrupts
from ..console.text import cut_text, cut_to_last_lines
from . import clients
from .backoff import generate_pauses
from .clients import Aws, make, read_error_code
from .logs import render

WAIT_S = 300  # Lambda optimizes a new image before the update ends
SMOKE_EVENT = {"source": "smoke"}
IMAGES_OWN = "the image's own"
TEXT_LENGTH = 1500  # characters shown of the smoke test's response, and of its log


@dataclass(frozen=True)
class FunctionVersion:
    """The configuration of $LATEST or of a version. Sizes in MB, the timeout in seconds.

    `image_config` is what overrides the image's entry point, command and folder, and `logging` the log's format and
    group: a stage has neither, but the console sets both.
    """

    version: str
    digest: str
    state: str
    last_update_status: str
    reason: str
    memory_mb: int
    timeout_s: int
    ephemeral_mb: int
    tracing: str
    image_config: str
    logging: str
    environment: dict[str, str]
    architecture: str
    role: str
    modified: str
    description: str
    revision_id: str = field(repr=False)

    @property
    def configuration(self) -> str:
        """A short digest of every setting that `make config` changes."""
        settings = [self.memory_mb, self.timeout_s, self.ephemeral_mb, self.environment, self.tracing]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def is_busy(self) -> bool:
        """Whether Lambda is still applying the last change."""
        return self.state == "Pending" or self.last_update_status == "InProgress"

    @property
    def is_failed(self) -> bool:
        """Whether the last change failed."""
        return self.state == "Failed" or self.last_update_status == "Failed"


@dataclass(frozen=True)
class Alias:
    """The alias that callers use: its version, and the percentage of calls sent to other versions."""

    version: str
    revision_id: str = field(repr=False)
    shares: dict[str, float] = field(default_factory=dict)


def parse_configuration(configuration: Mapping[str, Any]) -> FunctionVersion:
    """Parse one of Lambda's function configurations."""
    code = configuration.get("CodeSha256", "")
    return FunctionVersion(
        version=configuration.get("Version", "$LATEST"),
        digest=f"sha256:{code}" if len(code) == 64 else code,
        state=configuration.get("State", "Active"),
        last_update_status=configuration.get("LastUpdateStatus", "Successful"),
        reason=configuration.get("LastUpdateStatusReason") or configuration.get("StateReason") or "",
        memory_mb=configuration.get("MemorySize", 0),
        timeout_s=configuration.get("Timeout", 0),
        ephemeral_mb=configuration.get("EphemeralStorage", {}).get("Size", 512),
        tracing=configuration.get("TracingConfig", {}).get("Mode", "PassThrough"),
        image_config=_parse_image_config(configuration),
        logging=_parse_logging(configuration),
        environment=configuration.get("Environment", {}).get("Variables", {}),
        architecture=(configuration.get("Architectures") or ["x86_64"])[0],
        role=configuration.get("Role", ""),
        modified=configuration.get("LastModified", ""),
        description=configuration.get("Description", ""),
        revision_id=configuration.get("RevisionId", ""),
    )


def _parse_image_config(configuration: Mapping[str, Any]) -> str:
    overrides = configuration.get("ImageConfigResponse", {}).get("ImageConfig", {})
    kept = {name: value for name, value in overrides.items() if value}
    return json.dumps(kept, sort_keys=True) if kept else IMAGES_OWN


def _parse_logging(configuration: Mapping[str, Any]) -> str:
    entry = configuration.get("LoggingConfig") or {}
    group = entry.get("LogGroup") or f"/aws/lambda/{configuration.get('FunctionName', '')}"
    return format_logging(group, entry.get("LogFormat") or "Text")


def format_logging(group: str, form: str = "Text") -> str:
    """Return the `logging` of a version. Health, canaries and `make logs` read lines of text from the stage's group."""
    return f"{form} to {group}"


def read(aws: Aws, qualifier: str | None = None) -> FunctionVersion:
    """Return the configuration of $LATEST, a version or an alias; NotFound if it does not exist.

    Without `qualifier` it is $LATEST. Of an alias it is the configuration of the version that it points at.
    """
    client, name = aws.client("lambda"), aws.stage.function.name
    which = {"Qualifier": qualifier} if qualifier else {}
    try:
        return parse_configuration(client.get_function_configuration(FunctionName=name, **which))
    except client.exceptions.ResourceNotFoundException:
        what = f"function {name} has no version {qualifier}" if qualifier else f"there is no function {name}"
        remedy = make("history", aws.stage) if qualifier else make("build push infra-deploy", aws.stage)
        raise NotFound(f"{what} in stage {aws.stage.name}", remedy) from None


def read_reserved_concurrency(aws: Aws) -> int | None:
    """Return the function's reserved concurrency; None if it has none. At 0, Lambda throttles every call."""
    answer = aws.client("lambda").get_function_concurrency(FunctionName=aws.stage.function.name)
    return answer.get("ReservedConcurrentExecutions")


def reserve_concurrency(aws: Aws, count: int | None) -> None:
    """Set the function's reserved concurrency, or remove it with None."""
    client, name = aws.client("lambda"), aws.stage.function.name
    if count is None:
        client.delete_function_concurrency(FunctionName=name)
    else:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)


def wait_for_update(aws: Aws, qualifier: str | None = None) -> FunctionVersion:
    """Wait until Lambda has applied the last change, successfully or not; OperationFailed after WAIT_S seconds.

    Returns at once if nothing is in progress. Whether the change succeeded is in the returned value: pass it to
    `require_success`.
    """
    end = time.monotonic() + WAIT_S
    waits = generate_pauses(0.02, 2.0, factor=1.5)
    while (current := read(aws, qualifier)).is_busy:
        if time.monotonic() > end:
            raise OperationFailed(
                f"{aws.stage.function.name} is still {current.state}/{current.last_update_status} after {WAIT_S} s",
                make("status", aws.stage),
            )
        time.sleep(next(waits))
    return current


def require_success(aws: Aws, version: FunctionVersion) -> FunctionVersion:
    """Return `version`; OperationFailed, with Lambda's reason, if the last change failed."""
    if version.is_failed:
        raise OperationFailed(
            f"{aws.stage.function.name} version {version.version}: state {version.state}, last update "
            f"{version.last_update_status}: {version.reason or 'no reason given'}",
            make("status", aws.stage),
        )
    return version


def read_alias(aws: Aws) -> Alias | None:
    """Return the stage's alias, or None if it does not exist."""
    client = aws.client("lambda")
    try:
        response = client.get_alias(FunctionName=aws.stage.function.name, Name=aws.stage.function.alias)
    except client.exceptions.ResourceNotFoundException:
        return None
    return parse_alias(response)


def parse_alias(configuration: Mapping[str, Any]) -> Alias:
    """Parse one of Lambda's alias configurations."""
    weights = (configuration.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    shares = {version: weight * 100 for version, weight in weights.items()}
    return Alias(configuration["FunctionVersion"], configuration.get("RevisionId", ""), shares)


def move_alias(aws: Aws, version: str, before: Alias | None, shares: dict[str, float] | None = None) -> Alias:
    """Point the alias at a version; Conflict if it changed since `before` was read.

    `shares` sends a percentage of the calls to other versions. Without `before` the alias is created.
    """
    client, wanted = aws.client("lambda"), shares or {}
    request: dict[str, Any] = {
        "FunctionName": aws.stage.function.name,
        "Name": aws.stage.function.alias,
        "FunctionVersion": version,
        "RoutingConfig": {"AdditionalVersionWeights": {v: share / 100 for v, share in wanted.items()}},
    }
    try:
        with change(aws):
            if before is None:
                return parse_alias(client.create_alias(**request))
            return parse_alias(client.update_alias(**request, RevisionId=before.revision_id))
    except Conflict as conflict:
        current = read_alias(aws) if was_repeated(conflict) else None
        if current is None or current.version != version or current.shares != wanted:
            raise
        return current


@contextmanager
def change(aws: Aws) -> Iterator[None]:
    """Make one change of the function: Conflict if another process changes it at the same time.

    Interrupts are deferred until its answer is here. A request that is left in flight takes effect after the caller has
    put everything back.
    """
    from botocore.exceptions import ClientError

    try:
        with defer_interrupts():
            yield
    except ClientError as error:
        if read_error_code(error) not in ("PreconditionFailedException", "ResourceConflictException"):
            raise
        raise Conflict(
            f"another process is changing {aws.stage.function.name} in stage {aws.stage.name}: {error}",
            f"{make('status history', aws.stage)}, then run it again",
        ) from error


def was_repeated(conflict: Conflict) -> bool:
    """Return whether the client sent a refused change more than once: the first may have taken effect unheard."""
    from botocore.exceptions import ClientError

    cause = conflict.__cause__
    return isinstance(cause, ClientError) and clients.was_repeated(cause)


def update_code(aws: Aws, image_uri: str, before: FunctionVersion) -> FunctionVersion:
    """Point $LATEST at the image and wait until it is ready; Conflict if it changed since `before`.

    Safe to repeat: if the response to the first request was lost and the SDK sent it again, Lambda reports a conflict
    with our own change; $LATEST then has the wanted digest and `before`'s settings, and that counts as success.
    """
    client = aws.client("lambda")
    try:
        with change(aws):
            answer = client.update_function_code(
                FunctionName=aws.stage.function.name, ImageUri=image_uri, RevisionId=before.revision_id
            )
    except Conflict as conflict:
        if not was_repeated(conflict):
            raise
        updated = wait_for_update(aws)
        if updated.digest != image_uri.rpartition("@")[2] or updated.configuration != before.configuration:
            raise
    else:
        updated = parse_configuration(answer)
    return require_success(aws, wait_for_update(aws) if updated.is_busy else updated)


def publish(aws: Aws, latest: FunctionVersion, description: str) -> FunctionVersion:
    """Publish `latest` as a new version and wait until it is ready; Conflict if $LATEST changed since.

    Lambda returns the last version instead of a new one if neither code nor settings have changed since. The
    description is cut to the 256 characters that Lambda accepts.
    """
    client = aws.client("lambda")
    with change(aws):
        response = client.publish_version(
            FunctionName=aws.stage.function.name,
            CodeSha256=latest.digest.removeprefix("sha256:"),
            Description=description[:256],
        )
    published = parse_configuration(response)
    return require_success(aws, wait_for_update(aws, published.version) if published.is_busy else published)


def smoke(aws: Aws, version: str) -> None:
    """Invoke a version with the smoke event, which uses no queue; OperationFailed unless it returns 200.

    The error ends with the last lines of the version's log. The version is invoked by its number, so that the alias,
    and with it every caller, is not concerned. One attempt is made; it may include a cold start.
    """
    answer = aws.invoker.invoke(
        FunctionName=aws.stage.function.name, Qualifier=version, Payload=json.dumps(SMOKE_EVENT), LogType="Tail"
    )
    payload = answer["Payload"].read().decode()
    try:
        ready = json.loads(payload).get("statusCode") == 200
    except (ValueError, AttributeError):
        ready = False
    if answer.get("FunctionError") or not ready:
        import base64

        tail = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace").strip()
        raise OperationFailed(
            f"version {version} fails its smoke test: {describe_failure(payload, tail)}",
            f"the alias was not moved; fix the image, or set missing variables with {make('config', aws.stage)}",
        )


def describe_failure(payload: str, tail: str) -> str:
    """Describe a failed call: its cause, then the end of its log, with a traceback once.

    The payload of an exception repeats the traceback that the log has; it is printed if the log has no more lines.
    """
    lines = "\n".join(render(line) for line in tail.splitlines())
    try:
        error = json.loads(payload)
        cause = f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, LookupError, TypeError):
        return f"{cut_text(payload, TEXT_LENGTH)}\n{cut_to_last_lines(lines, TEXT_LENGTH)}"
    trace = "".join(error.get("stackTrace") or ()) if "Traceback" not in lines else ""
    return f"{cut_text(cause, TEXT_LENGTH)}\n{cut_to_last_lines(f'{trace}{lines}', TEXT_LENGTH)}"
