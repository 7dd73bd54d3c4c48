"""Reads `stages/<stage>.toml` into a checked Stage; all problems of a file are reported at once."""

import tomllib
from pathlib import Path
from typing import Any

from stages import limits
from stages.exceptions import InvalidStage, UnknownStage
from stages.reading import Reader
from stages.rules import problems_between
from stages.stage import Alarms, EventSource, Function, Images, Queues, Stage, Sweep, Tables

STAGES = Path(__file__).resolve().parent


def stage_names(folder: Path = STAGES) -> list[str]:
    """The stages that have a file, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(stage: str, folder: Path = STAGES) -> Stage:
    """Read and check the file of `stage`.

    Raises UnknownStage when there is no such file, InvalidStage with all problems when it asks for what cannot work.
    """
    if stage not in stage_names(folder):
        known = ", ".join(stage_names(folder)) or "none"
        raise UnknownStage(f"no stage named {stage!r} in {folder.name}/ (there are: {known})")
    path = folder / f"{stage}.toml"
    name = f"{folder.name}/{path.name}"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InvalidStage(name, [f"not TOML: {problem}"]) from None
    return parse(stage, document, name)


def parse(stage: str, document: dict[str, Any], name: str = "the document") -> Stage:
    """The stage that a TOML document states; `name` is what an error calls the document."""
    reader = Reader(document)
    settings = Stage(
        name=stage,
        region=reader.text("region", limits.REGION),
        account=reader.text("account", limits.ACCOUNT),
        account_key=reader.text("account_key", limits.ACCOUNT_KEY),
        repository=reader.text("repository", limits.REPOSITORY),
        images=_images(reader),
        function=_function(reader),
        queues=_queues(reader),
        tables=_tables(reader),
        bucket=reader.text("artifacts.bucket", limits.BUCKET),
        event_source=_event_source(reader),
        sweep=Sweep(reader.number("sweep.every_minutes", limits.SWEEP_MINUTES)),
        retention_days=reader.retention("logs.retention_days"),
        alarms=_alarms(reader),
    )
    # Rules between settings only make sense once each setting is right by itself.
    problems = [*reader.problems, *reader.unknown()] or problems_between(settings)
    if problems:
        raise InvalidStage(name, problems)
    return settings


def _images(reader: Reader) -> Images:
    return Images(
        protected_tag_prefix=reader.text("images.protected_tag_prefix", limits.TAG_PREFIX),
        expire_after_days=reader.number("images.expire_after_days", limits.EXPIRE_AFTER_DAYS),
    )


def _function(reader: Reader) -> Function:
    return Function(
        name=reader.text("function.name", limits.FUNCTION),
        alias=reader.text("function.alias", limits.ALIAS),
        memory_mb=reader.number("function.memory_mb", limits.MEMORY_MB),
        timeout_s=reader.number("function.timeout_s", limits.TIMEOUT_S),
        ephemeral_mb=reader.number("function.ephemeral_mb", limits.EPHEMERAL_MB),
        reserved_concurrency=reader.optional_number("function.reserved_concurrency", limits.RESERVED_CONCURRENCY),
        tracing=reader.flag("function.tracing", default=False),
        environment=reader.variables("function.environment"),
    )


def _queues(reader: Reader) -> Queues:
    return Queues(
        request=reader.text("queues.request", limits.QUEUE),
        response=reader.text("queues.response", limits.QUEUE),
        request_dead_letters=reader.text("queues.request_dead_letters", limits.QUEUE),
        response_dead_letters=reader.text("queues.response_dead_letters", limits.QUEUE),
        visibility_timeout_s=reader.number("queues.visibility_timeout_s", limits.VISIBILITY_TIMEOUT_S),
        max_receive_count=reader.number("queues.max_receive_count", limits.MAX_RECEIVE_COUNT),
    )


def _tables(reader: Reader) -> Tables:
    return Tables(
        prefix=reader.text("tables.prefix", limits.TABLE_PREFIX),
        point_in_time_recovery=reader.flag("tables.point_in_time_recovery"),
        deletion_protection=reader.flag("tables.deletion_protection"),
    )


def _event_source(reader: Reader) -> EventSource:
    return EventSource(
        enabled=reader.flag("event_source.enabled"),
        batch_size=reader.number("event_source.batch_size", limits.BATCH_SIZE),
        maximum_batching_window_s=reader.number(
            "event_source.maximum_batching_window_s", limits.BATCHING_WINDOW_S, default=0
        ),
        maximum_concurrency=reader.number("event_source.maximum_concurrency", limits.MAXIMUM_CONCURRENCY),
    )


def _alarms(reader: Reader) -> Alarms:
    return Alarms(
        oldest_message_s=reader.number("alarms.oldest_message_s", limits.OLDEST_MESSAGE_S),
        provider_cost_usd_per_hour=reader.number("alarms.provider_cost_usd_per_hour", limits.COST_USD_PER_HOUR),
        topic=reader.text("alarms.topic", limits.TOPIC, default=""),
    )
