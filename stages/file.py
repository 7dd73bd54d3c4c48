"""Reads `stages/<stage>.toml` into a validated `Stage`. All problems of a file are reported at once."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

from stages import limits
from stages.exceptions import InvalidStage, UnknownStage
from stages.reader import Reader
from stages.rules import find_problems
from stages.stage import AMPLIFY_INDEXES, Alarms, EventSource, Function, Images, Queues, Release, Stage, Sweep, Tables

STAGES = Path(__file__).resolve().parent


def list_stages(folder: Path = STAGES) -> list[str]:
    """Return the names of the stages that have a file, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(stage: str, folder: Path = STAGES) -> Stage:
    """Read and validate the file of `stage`.

    Raises `UnknownStage` if there is no such file, and `InvalidStage` with all problems if the file is invalid.
    """
    return parse(stage, _document(stage, folder), f"{folder.name}/{stage}.toml")


def _document(stage: str, folder: Path) -> dict[str, Any]:
    if stage not in list_stages(folder):
        known = ", ".join(list_stages(folder)) or "none"
        raise UnknownStage(f"no stage is named {stage!r}, expected one of {folder.name}/: {known}")
    try:
        return tomllib.loads((folder / f"{stage}.toml").read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InvalidStage(f"{folder.name}/{stage}.toml", [f"not TOML: {problem}"]) from None


def hash_stage(stage: str, folder: Path = STAGES) -> str:
    """Return the SHA-256, in hex, of the settings in a stage's file; comments and the order of keys do not matter."""
    return hashlib.sha256(json.dumps(_document(stage, folder), sort_keys=True).encode()).hexdigest()


def parse(stage: str, document: dict[str, Any], name: str = "the document") -> Stage:
    """Validate a TOML document and return its stage; raises `InvalidStage`, which calls the document `name`."""
    reader = Reader(document)
    settings = Stage(
        name=stage,
        region=reader.read_text("region", limits.REGION),
        account=reader.read_text("account", limits.ACCOUNT),
        account_key=reader.read_text("account_key", limits.ACCOUNT_KEY),
        repository=reader.read_text("repository", limits.REPOSITORY),
        images=_images(reader),
        function=_function(reader),
        queues=_queues(reader),
        tables=_tables(reader),
        bucket=reader.read_text("artifacts.bucket", limits.BUCKET),
        event_source=_event_source(reader),
        sweep=Sweep(reader.read_number("sweep.every_minutes", limits.SWEEP_MINUTES)),
        retention_days=reader.read_retention("logs.retention_days"),
        alarms=_alarms(reader),
        release=Release(
            after=reader.read_text("release.after", limits.STAGE, default=""),
            reader=reader.read_text("release.reader", limits.ACCOUNT, default=""),
            synthetic_jobs=reader.read_number("release.synthetic_jobs", limits.SYNTHETIC_JOBS, default=0),
        ),
        encryption_key=reader.read_text("encryption_key", limits.KEY, default=""),
        reach=reader.read_text("reach", limits.REACH, default=""),
    )
    # Rules between settings only make sense once each setting is valid by itself.
    problems = [*reader.problems, *reader.list_unknown()] or find_problems(settings)
    if problems:
        raise InvalidStage(name, problems)
    return settings


def _images(reader: Reader) -> Images:
    return Images(
        protected_tag_prefix=reader.read_text("images.protected_tag_prefix", limits.TAG_PREFIX),
        expire_after_days=reader.read_number("images.expire_after_days", limits.EXPIRE_AFTER_DAYS),
    )


def _function(reader: Reader) -> Function:
    return Function(
        name=reader.read_text("function.name", limits.FUNCTION),
        alias=reader.read_text("function.alias", limits.ALIAS),
        memory_mb=reader.read_number("function.memory_mb", limits.MEMORY_MB),
        timeout_s=reader.read_number("function.timeout_s", limits.TIMEOUT_S),
        ephemeral_mb=reader.read_number("function.ephemeral_mb", limits.EPHEMERAL_MB),
        reserved_concurrency=reader.read_optional_number("function.reserved_concurrency", limits.RESERVED_CONCURRENCY),
        tracing=reader.read_flag("function.tracing", default=False),
        environment=reader.read_variables("function.environment"),
        models=reader.read_text("function.models", limits.MODELS, default=""),
    )


def _queues(reader: Reader) -> Queues:
    return Queues(
        request=reader.read_text("queues.request", limits.QUEUE),
        response=reader.read_text("queues.response", limits.QUEUE),
        request_dead_letters=reader.read_text("queues.request_dead_letters", limits.QUEUE),
        response_dead_letters=reader.read_text("queues.response_dead_letters", limits.QUEUE),
        visibility_timeout_s=reader.read_number("queues.visibility_timeout_s", limits.VISIBILITY_TIMEOUT_S),
        max_receive_count=reader.read_number("queues.max_receive_count", limits.MAX_RECEIVE_COUNT),
    )


def _tables(reader: Reader) -> Tables:
    return Tables(
        prefix=reader.read_text("tables.prefix", limits.TABLE_PREFIX),
        point_in_time_recovery=reader.read_flag("tables.point_in_time_recovery"),
        deletion_protection=reader.read_flag("tables.deletion_protection"),
        expire_after_days=reader.read_number("tables.expire_after_days", limits.RECORD_DAYS, default=0),
        amplify=reader.read_text("tables.amplify", limits.AMPLIFY, default=""),
        attachments=reader.read_text("tables.attachments", limits.BUCKET, default=""),
        indexes={
            table: name
            for table in AMPLIFY_INDEXES
            if (name := reader.read_text(f"tables.indexes.{table}", limits.INDEX, default=""))
        },
    )


def _event_source(reader: Reader) -> EventSource:
    return EventSource(
        enabled=reader.read_flag("event_source.enabled"),
        batch_size=reader.read_number("event_source.batch_size", limits.BATCH_SIZE),
        maximum_batching_window_s=reader.read_number(
            "event_source.maximum_batching_window_s", limits.BATCHING_WINDOW_S, default=0
        ),
        maximum_concurrency=reader.read_number("event_source.maximum_concurrency", limits.MAXIMUM_CONCURRENCY),
    )


def _alarms(reader: Reader) -> Alarms:
    return Alarms(
        oldest_message_s=reader.read_number("alarms.oldest_message_s", limits.OLDEST_MESSAGE_S),
        provider_cost_usd_per_hour=reader.read_number("alarms.provider_cost_usd_per_hour", limits.COST_USD_PER_HOUR),
        topic=reader.read_text("alarms.topic", limits.TOPIC, default=""),
        notify=reader.read_text("alarms.notify", limits.NOTIFY, default=""),
        failed_percent=reader.read_number("alarms.failed_percent", limits.FAILED_PERCENT, default=5),
    )
