"""Apply the stage file's settings to the function: environment, timeout, memory, /tmp and tracing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from stages.limits import VARIABLE
from stages.rules import SET_IF_NEEDED
from stages.secrets import contains_secret
from stages.stage import Function

from ..aws import lambda_function, lock, repository
from ..aws.clients import Aws
from ..aws.lambda_function import FunctionVersion
from ..aws.stage import Stage, create_environment
from ..console.errors import Conflict, Refused
from ..console.interrupts import defer_interrupts
from ..console.text import shorten_digest
from . import versions

HIDDEN, ABSENT = "[secret]", "absent"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Difference:
    """A setting to change; `old` is None if it is not set."""

    name: str
    old: str | None
    new: str

    def __str__(self) -> str:
        old = "" if self.old is None else f"- {self.name} = {self.old}\n"
        return f"{old}+ {self.name} = {self.new}"


def _mask(name: str, value: str | None) -> str | None:
    """Return a variable's value, or a placeholder for anything that looks like a secret."""
    return HIDDEN if value is not None and contains_secret(name, value) else value


@dataclass(frozen=True)
class ConfigurationResult:
    """The result; `action` is `configured`, `unchanged` or `would configure`.

    `kept` are variables of the function that are not in the stage file.
    """

    action: str
    differences: tuple[Difference, ...]
    kept: tuple[str, ...]
    version: str = ""


def compare_with_stage(version: FunctionVersion, stage: Stage, extra: Mapping[str, str]) -> list[Difference]:
    """Return the settings that differ from the stage file and the `extra` variables.

    A variable that names a resource the stage no longer has, such as Amplify's tables, becomes `absent`.
    """
    function = stage.function
    shape: dict[str, int | str] = {
        "memory_mb": function.memory_mb,
        "timeout_s": function.timeout_s,
        "ephemeral_mb": function.ephemeral_mb,
        "tracing": function.tracing_mode,
        "image_config": lambda_function.IMAGES_OWN,
        "logging": lambda_function.format_logging(stage.log_group),
    }
    wanted = create_environment(stage) | dict(extra)
    gone = dict.fromkeys(version.environment.keys() & set(SET_IF_NEEDED) - wanted.keys(), ABSENT)
    return _compare(version, shape, wanted | gone)


@dataclass(frozen=True)
class Comparison:
    """The settings that differ from the stage file: what `make config` changes, drift lists and the doctor reports.

    `served` are those of the served version, none before the first deploy, and `latest` those of $LATEST, which the
    next deploy publishes. `function` is the reserved concurrency, which belongs to no version.
    """

    served: tuple[Difference, ...]
    latest: tuple[Difference, ...]
    function: tuple[Difference, ...]


def compare(
    aws: Aws, latest: FunctionVersion, live: versions.ServedVersion, extra: Mapping[str, str] | None = None
) -> Comparison:
    """Compare the function, $LATEST and the served version with the stage file and the `extra` variables.

    Reads the reserved concurrency from Lambda; everything else is in the arguments. A part without differences is
    empty.
    """
    return Comparison(
        served=tuple(_served_differences(live, latest, aws.stage, extra or {})),
        latest=tuple(compare_with_stage(latest, aws.stage, extra or {})),
        function=tuple(_concurrency(aws)),
    )


def compare_versions(old: FunctionVersion, new: FunctionVersion) -> list[Difference]:
    """Return the settings that change from one version to another; a variable that is removed becomes `absent`."""
    names = ("memory_mb", "timeout_s", "ephemeral_mb", "tracing", "role")
    gone = dict.fromkeys(old.environment.keys() - new.environment.keys(), ABSENT)
    return _compare(old, {name: getattr(new, name) for name in names}, new.environment | gone)


def _compare(
    version: FunctionVersion, shape: Mapping[str, int | str], variables: Mapping[str, str]
) -> list[Difference]:
    changed = [
        Difference(name, str(old), str(new)) for name, new in shape.items() if (old := getattr(version, name)) != new
    ]
    for name, value in sorted(variables.items()):
        old = version.environment.get(name)
        if old != value:
            new = value if value == ABSENT else _mask(name, value) or ""
            changed.append(Difference(name, _mask(name, old), new))
    return changed


def configure(
    aws: Aws, *, extra: Mapping[str, str] | None = None, dry_run: bool = False, say: Say = lambda _: None
) -> ConfigurationResult:
    """Apply the stage's settings, keep other variables, and release them. Idempotent.

    Callers get the settings as a new version behind the alias, after a smoke test, as with a deploy. The version runs
    the image that callers get now, even if $LATEST has another: one that was rolled back, or failed its smoke test.
    """
    extra = extra or {}
    latest = lambda_function.require_success(aws, lambda_function.wait_for_update(aws))
    live = versions.read_live(aws)
    variables = create_environment(aws.stage) | dict(extra)
    comparison = compare(aws, latest, live, extra)
    # A stack update changes $LATEST only: callers get its settings when a version is published with them.
    published = comparison.latest or comparison.served
    changed = (*published, *comparison.function)
    others = {name: value for name, value in latest.environment.items() if name not in SET_IF_NEEDED}
    kept = tuple(sorted(others.keys() - variables.keys()))
    if not changed:
        return ConfigurationResult("unchanged", (), kept)
    for difference in changed:
        say(str(difference))
    if dry_run:
        return ConfigurationResult("would configure", changed, kept)
    restored = versions.restore_on_failure(aws, partial(_restore, aws, latest, live.version), "its settings", say)
    with lock.hold(aws) as held, restored:
        if len(published) < len(changed):
            lambda_function.reserve_concurrency(aws, aws.stage.function.reserved_concurrency)
        if not published:
            return ConfigurationResult("configured", changed, kept, live.version)
        if live.version not in ("", "$LATEST") and latest.digest != live.digest:
            say(
                f"$LATEST has image {shorten_digest(latest.digest)}, callers get {shorten_digest(live.digest)}: "
                "the latter is published"
            )
            latest = lambda_function.update_code(aws, repository.find_image_uri(aws, live.digest), latest)
        _update(aws, latest, aws.stage.function, others | variables)
        latest = lambda_function.require_success(aws, lambda_function.wait_for_update(aws))
        if live.version in ("", "$LATEST"):
            return ConfigurationResult("configured", changed, kept)
        held.check()
        released = versions.release(aws, latest, live, action="config", commit=live.commit)
    return ConfigurationResult("configured", changed, kept, released.version)


def _restore(aws: Aws, before: FunctionVersion, served: str) -> bool:
    """Give $LATEST its settings again, unless the version `served` no longer is, and the served image."""
    with defer_interrupts():
        latest = lambda_function.wait_for_update(aws)
        is_released = versions.read_live(aws).version != served
        if not is_released:
            give_settings(aws, before, latest)
    return versions.restore_latest(aws) or not is_released


def _served_differences(
    live: versions.ServedVersion, latest: FunctionVersion, stage: Stage, extra: Mapping[str, str]
) -> list[Difference]:
    """Return the settings of the served version that differ from the stage file; none before the first deploy.

    Its role differs from that of $LATEST if the stack had to create the role again.
    """
    if live.facts is None or live.version == "$LATEST":
        return []
    role = [] if live.facts.role == latest.role else [Difference("role", live.facts.role, latest.role)]
    return [*compare_with_stage(live.facts, stage, extra), *role]


def _concurrency(aws: Aws) -> list[Difference]:
    """Return the difference of the reserved concurrency, which belongs to the function and to no version."""
    wanted, result = aws.stage.function.reserved_concurrency, lambda_function.read_reserved_concurrency(aws)
    if result == wanted:
        return []
    old, new = ("none" if count is None else str(count) for count in (result, wanted))
    return [Difference("reserved_concurrency", old, new)]


def give_settings(aws: Aws, wanted: FunctionVersion, latest: FunctionVersion | None = None) -> FunctionVersion:
    """Give $LATEST the settings of another version; return it once ready. Conflict if it changed since `latest`."""
    latest = latest or lambda_function.wait_for_update(aws)
    if latest.configuration != wanted.configuration:
        _update(aws, latest, wanted, wanted.environment)
        latest = lambda_function.require_success(aws, lambda_function.wait_for_update(aws))
    return latest


def _update(aws: Aws, latest: FunctionVersion, shape: FunctionVersion | Function, variables: dict[str, str]) -> None:
    tracing = shape.tracing if isinstance(shape, FunctionVersion) else shape.tracing_mode
    wanted = replace(
        latest,
        memory_mb=shape.memory_mb,
        timeout_s=shape.timeout_s,
        ephemeral_mb=shape.ephemeral_mb,
        tracing="Active" if tracing == "Active" else "PassThrough",
        environment=variables,
    )
    try:
        with lambda_function.change(aws):
            aws.client("lambda").update_function_configuration(
                FunctionName=aws.stage.function.name,
                MemorySize=wanted.memory_mb,
                Timeout=wanted.timeout_s,
                EphemeralStorage={"Size": wanted.ephemeral_mb},
                TracingConfig={"Mode": "Active" if tracing == "Active" else "PassThrough"},
                Environment={"Variables": wanted.environment},
                RevisionId=latest.revision_id,
                **_reset(latest, aws.stage),
            )
    except Conflict as conflict:
        if not lambda_function.was_repeated(conflict):
            raise
        current = lambda_function.wait_for_update(aws)
        if (current.configuration, current.digest) != (wanted.configuration, latest.digest):
            raise


def _reset(latest: FunctionVersion, stage: Stage) -> dict[str, Any]:
    """Return the settings that no stage file has, if somebody gave $LATEST any: those of a new function."""
    reset: dict[str, Any] = {}
    if latest.image_config != lambda_function.IMAGES_OWN:
        reset["ImageConfig"] = {"EntryPoint": [], "Command": [], "WorkingDirectory": ""}
    if latest.logging != lambda_function.format_logging(stage.log_group):
        reset["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": stage.log_group}
    return reset


def parse_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """Parse NAME=VALUE settings; Refused for a secret, which any process listing would show.

    The last value of a name wins; a value may be empty, and may contain `=`.
    """
    values = {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or not VARIABLE.fullmatch(name):
            wanted = "a name of two or more letters, digits or _, a letter first" if separator else "NAME=VALUE"
            raise Refused(f"--set: got {setting!r}, expected {wanted}", "example: --set LOG_LEVEL=DEBUG")
        if contains_secret(name, value):
            raise Refused(
                f"{name} would put a secret on a command line and into the function's settings",
                "store it in Secrets Manager or SSM and set its ARN",
            )
        values[name] = value
    return values
