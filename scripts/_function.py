"""The Lambda function: its state, its versions and its alias. Every change is wait → act → wait."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ._aws import Aws, error_code, make
from ._errors import Conflict, NotFound, OperationFailed

WAIT_S = 300
SMOKE_EVENT = {"source": "smoke"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Facts:
    """A function, or one version of it, as Lambda describes it."""

    version: str
    digest: str
    state: str
    last_update_status: str
    reason: str
    memory_mb: int
    timeout_s: int
    ephemeral_mb: int
    tracing: str
    environment: dict[str, str]
    architecture: str
    role: str
    modified: str
    description: str
    revision_id: str = field(repr=False)

    @property
    def configuration(self) -> str:
        """A short digest of all that `make config` sets."""
        settings = [self.memory_mb, self.timeout_s, self.ephemeral_mb, self.environment, self.tracing]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def is_busy(self) -> bool:
        """Whether Lambda is still at work on the last change."""
        return self.state == "Pending" or self.last_update_status == "InProgress"

    @property
    def is_failed(self) -> bool:
        """Whether the last change did not work."""
        return self.state == "Failed" or self.last_update_status == "Failed"


@dataclass(frozen=True)
class Alias:
    """The alias that callers use: the version that it names, and the shares of others in percent."""

    version: str
    revision_id: str = field(repr=False)
    shares: dict[str, float] = field(default_factory=dict)


def facts(configuration: dict[str, Any]) -> Facts:
    """Return the facts in one of Lambda's function configurations."""
    code = configuration.get("CodeSha256", "")
    return Facts(
        version=configuration.get("Version", "$LATEST"),
        digest=f"sha256:{code}" if len(code) == 64 else code,
        state=configuration.get("State", "Active"),
        last_update_status=configuration.get("LastUpdateStatus", "Successful"),
        reason=configuration.get("LastUpdateStatusReason") or configuration.get("StateReason") or "",
        memory_mb=configuration.get("MemorySize", 0),
        timeout_s=configuration.get("Timeout", 0),
        ephemeral_mb=configuration.get("EphemeralStorage", {}).get("Size", 512),
        tracing=configuration.get("TracingConfig", {}).get("Mode", "PassThrough"),
        environment=configuration.get("Environment", {}).get("Variables", {}),
        architecture=(configuration.get("Architectures") or ["x86_64"])[0],
        role=configuration.get("Role", ""),
        modified=configuration.get("LastModified", ""),
        description=configuration.get("Description", ""),
        revision_id=configuration.get("RevisionId", ""),
    )


def read(aws: Aws, qualifier: str | None = None) -> Facts:
    """Return the facts of $LATEST, or of a version or alias; NotFound when there is no such function."""
    client, name = aws.client("lambda"), aws.stage.function.name
    which = {"Qualifier": qualifier} if qualifier else {}
    try:
        return facts(client.get_function_configuration(FunctionName=name, **which))
    except client.exceptions.ResourceNotFoundException:
        what = f"function {name} has no version {qualifier}" if qualifier else f"there is no function {name}"
        remedy = make("history", aws.stage) if qualifier else make("build push infra-deploy", aws.stage)
        raise NotFound(f"{what} in stage {aws.stage.name}", remedy) from None


def settled(aws: Aws, qualifier: str | None = None) -> Facts:
    """Wait until Lambda is done with the function and return its facts; raise when the last change failed."""
    pause, end = 0.02, time.monotonic() + WAIT_S
    while (found := read(aws, qualifier)).is_busy:
        if time.monotonic() > end:
            raise OperationFailed(
                f"{aws.stage.function.name} is still {found.state}/{found.last_update_status} after {WAIT_S} s",
                f"look again with {make('status', aws.stage)}",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 2)
    return found


def check_worked(aws: Aws, found: Facts) -> Facts:
    """Raise when Lambda could not carry out the last change."""
    if found.is_failed:
        raise OperationFailed(
            f"{aws.stage.function.name} ({found.version}) is {found.state}, its last update "
            f"{found.last_update_status}: {found.reason or 'no reason given'}",
            make("status", aws.stage),
        )
    return found


def read_alias(aws: Aws) -> Alias | None:
    """Return the stage's alias, or None when the function has none."""
    client = aws.client("lambda")
    try:
        found = client.get_alias(FunctionName=aws.stage.function.name, Name=aws.stage.function.alias)
    except client.exceptions.ResourceNotFoundException:
        return None
    return alias(found)


def alias(found: dict[str, Any]) -> Alias:
    """Return the alias in one of Lambda's answers."""
    weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    shares = {version: weight * 100 for version, weight in weights.items()}
    return Alias(found["FunctionVersion"], found.get("RevisionId", ""), shares)


def move_alias(aws: Aws, version: str, seen: Alias | None, shares: dict[str, float] | None = None) -> Alias:
    """Let the alias name a version; Conflict when it is not as it was `seen`. `shares` are percent of others."""
    client = aws.client("lambda")
    request: dict[str, Any] = {
        "FunctionName": aws.stage.function.name,
        "Name": aws.stage.function.alias,
        "FunctionVersion": version,
        "RoutingConfig": {"AdditionalVersionWeights": {v: share / 100 for v, share in (shares or {}).items()}},
    }
    with conflicts_told(aws):
        if seen is None:
            return alias(client.create_alias(**request))
        return alias(client.update_alias(**request, RevisionId=seen.revision_id))


@contextmanager
def conflicts_told(aws: Aws) -> Iterator[None]:
    """Turn Lambda's two ways to say "somebody else was here" into Conflict."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error_code(error) not in ("PreconditionFailedException", "ResourceConflictException"):
            raise
        raise Conflict(
            f"somebody else is changing {aws.stage.function.name} in stage {aws.stage.name}: {error}",
            f"look with {make('status history', aws.stage)}, then run it again",
        ) from error


def update_code(aws: Aws, image_uri: str, before: Facts) -> Facts:
    """Let $LATEST run the image and wait until it does; Conflict when it is no longer as `before`."""
    client = aws.client("lambda")
    with conflicts_told(aws):
        answer = client.update_function_code(
            FunctionName=aws.stage.function.name, ImageUri=image_uri, RevisionId=before.revision_id
        )
    found = facts(answer)
    return check_worked(aws, settled(aws) if found.is_busy else found)


def publish(aws: Aws, latest: Facts, description: str) -> Facts:
    """Publish $LATEST as it is in `latest` and wait until the new version can run."""
    client = aws.client("lambda")
    with conflicts_told(aws):
        made = client.publish_version(
            FunctionName=aws.stage.function.name,
            CodeSha256=latest.digest.removeprefix("sha256:"),
            Description=description[:256],
        )
    found = facts(made)
    return check_worked(aws, settled(aws, found.version) if found.is_busy else found)


def smoke(aws: Aws, version: str) -> None:
    """Invoke a version with the event that touches no queue; OperationFailed when it does not answer 200."""
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
            f"version {version} does not pass its smoke test: {payload[:600]}\n{tail[-1500:]}",
            f"the alias was not moved; correct it, or set what is missing with {make('config', aws.stage)}",
        )
