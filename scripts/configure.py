"""Set the function's environment, timeout, memory and tracing as the stage file says; show the difference first.

python -m scripts.configure
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click

from stages.limits import VARIABLE
from stages.secrets import holds_secret

from . import _function, _ledger, _release, deploy
from ._aws import Aws
from ._command import Shell, verb
from ._errors import Refused
from ._function import Facts
from ._stage import Stage
from ._text import short

HIDDEN = "[secret]"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Difference:
    """One setting: `old` is None where it is not set yet."""

    name: str
    old: str | None
    new: str

    def __str__(self) -> str:
        old = "" if self.old is None else f"- {self.name} = {self.old}\n"
        return f"{old}+ {self.name} = {self.new}"


def _shown(name: str, value: str | None) -> str | None:
    """A variable's value as it may be told: what seems to be a secret, set by hand, is on nobody's screen."""
    return HIDDEN if value is not None and holds_secret(name, value) else value


@dataclass(frozen=True)
class Configured:
    """What became of the settings. Action is `configured`, `unchanged` or `would configure`; `kept` are
    variables of the function that the stage file does not know."""

    action: str
    differences: tuple[Difference, ...]
    kept: tuple[str, ...]
    version: str = ""


def environment(stage: Stage) -> dict[str, str]:
    """Return the variables that the stage gives its function."""
    queues = f"https://sqs.{stage.region}.amazonaws.com/{stage.account}"
    return {
        **stage.function.environment,
        "PLEXUS_ACCOUNT_KEY": stage.account_key,
        "PLEXUS_ARTIFACT_BUCKET": stage.bucket,
        "PLEXUS_RESPONSE_WORKER_QUEUE_URL": f"{queues}/{stage.queues.response}",
        "PLEXUS_SCORING_WORKER_DEAD_LETTER_QUEUE_URL": f"{queues}/{stage.queues.request_dead_letters}",
        "PLEXUS_SCORING_WORKER_REQUEST_STANDARD_QUEUE_URL": f"{queues}/{stage.queues.request}",
        "PLEXUS_TABLE_PREFIX": stage.tables.prefix,
    }


def differences(found: Facts, stage: Stage, extra: Mapping[str, str]) -> list[Difference]:
    """Return what has to change for the function to be as the stage file and `extra` variables say."""
    shape: dict[str, tuple[int | str, int | str]] = {
        "memory_mb": (found.memory_mb, stage.function.memory_mb),
        "timeout_s": (found.timeout_s, stage.function.timeout_s),
        "ephemeral_mb": (found.ephemeral_mb, stage.function.ephemeral_mb),
        "tracing": (found.tracing, stage.function.tracing_mode),
    }
    changed = [Difference(name, str(old), str(new)) for name, (old, new) in shape.items() if old != new]
    for name, value in sorted((environment(stage) | dict(extra)).items()):
        old = found.environment.get(name)
        if old != value:
            changed.append(Difference(name, _shown(name, old), value))
    return changed


def configure(
    aws: Aws, *, extra: Mapping[str, str] | None = None, dry_run: bool = False, say: Say = lambda _: None
) -> Configured:
    """Bring the function's settings to the stage's, keep variables that it does not know, and release them.

    The settings reach callers as a new version behind the alias, tried first, like a deploy's code. It runs the image
    that callers get now, also where $LATEST holds another: one that was rolled back, or that did not pass its trial.
    """
    extra = extra or {}
    latest = _function.check_worked(aws, _function.settled(aws))
    live = _release.read_live(aws)
    wanted = environment(aws.stage) | dict(extra)
    # What a stack's update wrote to $LATEST is right there, and reaches no caller before a version has it.
    changed = tuple(differences(latest, aws.stage, extra) or _served(live, aws.stage, extra))
    kept = tuple(sorted(set(latest.environment) - set(wanted)))
    if not changed:
        return Configured("unchanged", (), kept)
    for difference in changed:
        say(str(difference))
    if dry_run:
        return Configured("would configure", changed, kept)
    with _ledger.locked(aws):
        if live.version not in ("", "$LATEST") and latest.digest != live.digest:
            say(f"$LATEST holds {short(latest.digest)}, callers get {short(live.digest)}: the new version runs that")
            latest = _function.update_code(aws, deploy.image_uri(aws, live.digest), latest)
        _update(aws, latest, wanted)
        latest = _function.check_worked(aws, _function.settled(aws))
        if live.version in ("", "$LATEST"):
            return Configured("configured", changed, kept)
        released = _release.release(aws, latest, live, action="config", commit=live.commit)
    return Configured("configured", changed, kept, released.version)


def _served(live: _release.Live, stage: Stage, extra: Mapping[str, str]) -> list[Difference]:
    """What callers get that differs from the stage file; nothing before the first deploy."""
    return differences(live.facts, stage, extra) if live.facts and live.version != "$LATEST" else []


def _update(aws: Aws, latest: Facts, wanted: dict[str, str]) -> None:
    function = aws.stage.function
    with _function.conflicts_told(aws):
        aws.client("lambda").update_function_configuration(
            FunctionName=function.name,
            MemorySize=function.memory_mb,
            Timeout=function.timeout_s,
            EphemeralStorage={"Size": function.ephemeral_mb},
            TracingConfig={"Mode": function.tracing_mode},
            Environment={"Variables": latest.environment | wanted},
            RevisionId=latest.revision_id,
        )


def parse_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """Return NAME=VALUE texts as a dict; Refused for a secret, which a command line would show to everyone."""
    values = {}
    for setting in settings:
        name, found, value = setting.partition("=")
        if not found or not VARIABLE.fullmatch(name):
            raise Refused(f"{setting!r} is not NAME=VALUE", "write it as --set LOG_LEVEL=DEBUG")
        if holds_secret(name, value):
            raise Refused(
                f"{name} would put a secret on a command line and into the function's settings",
                "keep it in Secrets Manager or SSM and set its ARN",
            )
        values[name] = value
    return values


def _render(configured: Configured, shell: Shell) -> None:
    kept = f" (kept as it is: {', '.join(configured.kept)})" if configured.kept else ""
    count = len(configured.differences)
    settings = f"{count} setting{'s' * (count != 1)}"
    version = f"; {shell.stage.function.alias} now names version {configured.version}" if configured.version else ""
    text = {
        "unchanged": f"nothing to configure: the function is as stages/{shell.stage.name}.toml says{kept}",
        "would configure": f"would change {settings}{kept}",
        "configured": f"changed {settings}{version}{kept}",
    }[configured.action]
    shell.console.print(text, markup=False)


@verb(acts=True, render=_render)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="One more variable; repeatable.")
def main(shell: Shell, settings: tuple[str, ...]) -> Configured:
    """Set environment, timeout, memory and tracing from the stage file, and show the difference first."""
    extra = parse_settings(settings)
    if shell.stage.is_guarded and not shell.dry_run:
        planned = configure(shell.aws, extra=extra, dry_run=True, say=shell.say)
        if planned.action == "unchanged":
            return planned
        shell.confirm(f"Changes {len(planned.differences)} settings of {shell.stage.function.name}.")
    return configure(shell.aws, extra=extra, dry_run=shell.dry_run, say=shell.say)


if __name__ == "__main__":
    main()
