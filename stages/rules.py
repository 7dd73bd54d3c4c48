"""Rules between settings: combinations that AWS refuses, or accepts and then fails under load."""

import math

from stages import limits
from stages.stage import Stage, Tables

RESERVE, RESERVE_S = (
    "PLEXUS_RESERVE_SECONDS",
    10.0,
)  # the worker's setting and its default in seconds, which a test compares with handler/settings.py
SHORTEST_WORK_S = 5  # seconds on top of the reserve: claim, read and a quick score

SET_IF_NEEDED = (
    "PLEXUS_TABLE_SUFFIX",
    "PLEXUS_TABLE_INDEXES",
    "PLEXUS_ATTACHMENT_BUCKET",
    "PLEXUS_EXPIRE_AFTER_DAYS",
)
SET_BY_TEMPLATE = (
    "PLEXUS_SCORING_WORKER_REQUEST_STANDARD_QUEUE_URL",
    "PLEXUS_RESPONSE_WORKER_QUEUE_URL",
    "PLEXUS_SCORING_WORKER_DEAD_LETTER_QUEUE_URL",
    "PLEXUS_ACCOUNT_KEY",
    "PLEXUS_TABLE_PREFIX",
    "PLEXUS_ARTIFACT_BUCKET",
    *SET_IF_NEEDED,
)


def find_problems(settings: Stage) -> list[str]:
    """Return a message for each rule that the settings break."""
    reach = [] if settings.is_local or not settings.reach else ["reach applies to the local AWS only"]
    alarms = settings.alarms
    both = (
        ["alarms.notify and alarms.topic exclude each other: give one of them"]
        if alarms.notify and alarms.topic
        else []
    )
    itself = ["release.after names the stage itself"] if settings.release.after == settings.name else []
    return [
        *reach,
        *both,
        *itself,
        *_key_problems(settings),
        *_expiry_problems(settings.tables),
        *_table_problems(settings),
        *_queue_problems(settings),
        *_event_source_problems(settings),
        *_environment_problems(settings),
    ]


def _table_problems(settings: Stage) -> list[str]:
    tables = settings.tables
    if tables.amplify and tables.expire_after_days:
        return ["tables.expire_after_days has no effect on the tables of tables.amplify: set their time to live there"]
    if tables.amplify or not (tables.attachments or tables.indexes):
        return []
    return ["tables.attachments and tables.indexes need tables.amplify: they are of Amplify's tables"]


def _key_problems(settings: Stage) -> list[str]:
    key = settings.encryption_key
    if not key or key.split(":")[3] == settings.region:
        return []
    return [f"encryption_key is of region {key.split(':')[3]}, and the stage of {settings.region}"]


def _expiry_problems(tables: Tables) -> list[str]:
    if 0 < tables.expire_after_days < limits.LEAST_RECORD_DAYS:
        return [
            f"tables.expire_after_days = {tables.expire_after_days} deletes jobs whose dead letters can still be "
            f"redriven (expected 0, which keeps them, or at least {limits.LEAST_RECORD_DAYS})"
        ]
    return []


def _queue_problems(settings: Stage) -> list[str]:
    queues, timeout = settings.queues, settings.function.timeout_s
    problems = []
    least = timeout * limits.VISIBILITY_PER_TIMEOUT + settings.event_source.maximum_batching_window_s
    if queues.visibility_timeout_s < least:
        problems.append(
            f"queues.visibility_timeout_s = {queues.visibility_timeout_s} is too short for "
            f"function.timeout_s = {timeout}: a message would be delivered again while it is being processed "
            f"(expected at least {least}, {limits.VISIBILITY_PER_TIMEOUT} × the timeout plus the batching window)"
        )
    names = [queues.request, queues.response, queues.request_dead_letters, queues.response_dead_letters]
    doubles = sorted({name for name in names if names.count(name) > 1})
    problems.extend(f"queues: the name {name!r} is used for more than one queue" for name in doubles)
    return problems


def _event_source_problems(settings: Stage) -> list[str]:
    source, reserved = settings.event_source, settings.function.reserved_concurrency
    problems = []
    if source.batch_size > limits.BATCH_SIZE_WITHOUT_WINDOW and source.maximum_batching_window_s == 0:
        problems.append(
            f"event_source.batch_size = {source.batch_size} needs a batching window "
            f"(expected at most {limits.BATCH_SIZE_WITHOUT_WINDOW}, "
            "or event_source.maximum_batching_window_s ≥ 1)"
        )
    if reserved is not None and source.maximum_concurrency >= reserved:
        problems.append(
            f"event_source.maximum_concurrency = {source.maximum_concurrency} leaves no room within "
            f"function.reserved_concurrency = {reserved}: messages, sweeps and smoke tests would be throttled "
            f"(expected at most {reserved - 1})"
        )
    if reserved is None and not settings.is_local:
        problems.append(
            "function.reserved_concurrency is missing: the worker and the account's other functions may take each "
            f"other's concurrency, and event_source.maximum_concurrency = {source.maximum_concurrency} "
            f"(expected at least {source.maximum_concurrency + 1})"
        )
    return problems


def _environment_problems(settings: Stage) -> list[str]:
    environment = settings.function.environment
    problems = [
        f"function.environment.{name} is set by the template from other settings (expected: not set here)"
        for name in SET_BY_TEMPLATE
        if name in environment
    ]
    problems.extend(_reserve_problems(settings))
    size = sum(len(name) + len(value) for name, value in environment.items())
    if size > 3072:
        problems.append(
            f"function.environment has {size} characters (expected at most 3072: the rest of Lambda's 4 KB is for the "
            "variables that the template adds)"
        )
    return problems


def _reserve_problems(settings: Stage) -> list[str]:
    """Check that a job fits before the reserve; otherwise the worker would return every message forever."""
    text, timeout = settings.function.environment.get(RESERVE, ""), settings.function.timeout_s
    try:
        reserve = float(text or RESERVE_S)
    except ValueError:
        reserve = math.nan
    if not math.isfinite(reserve):
        return []  # the worker rejects it when a deploy tries the new version
    if timeout >= reserve + SHORTEST_WORK_S:
        return []
    return [
        f"function.timeout_s = {timeout} leaves no time to score: the worker reserves {RESERVE} = {reserve:g} of it to "
        f"record outcomes (expected at least {math.ceil(reserve + SHORTEST_WORK_S)})"
    ]
