"""The worker's settings, read from environment variables."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from handler.exceptions import SettingsError
from handler.logs import LEVELS
from handler.tables import Tables

REQUEST_QUEUE = "PLEXUS_SCORING_WORKER_REQUEST_STANDARD_QUEUE_URL"
RESPONSE_QUEUE = "PLEXUS_RESPONSE_WORKER_QUEUE_URL"
DEAD_LETTER_QUEUE = "PLEXUS_SCORING_WORKER_DEAD_LETTER_QUEUE_URL"
ACCOUNT_KEY = "PLEXUS_ACCOUNT_KEY"
REQUIRED = (REQUEST_QUEUE, RESPONSE_QUEUE, ACCOUNT_KEY)
LONGEST_LEASE = 900.0  # seconds
_INDEXES = re.compile(r"(\w+=[\w.-]+(,\w+=[\w.-]+)*)?")


@dataclass(frozen=True)
class Settings:
    """The settings of an execution environment. Durations are in seconds; docs/reference/worker.md describes each."""

    request_queue_url: str
    response_queue_url: str
    account_key: str
    dead_letter_queue_url: str | None = None
    tables: Tables = field(default_factory=Tables)
    attachment_bucket: str | None = None
    artifact_bucket: str | None = None
    cache_dir: Path = Path("/tmp/scorecards")
    log_level: str = "INFO"
    lease: float = 60.0
    clock_skew: float = 30.0
    retry_base: float = 5.0
    reserve: float = 10.0
    concurrency: int = 10
    crash_limit: int = 3
    expire_after_days: float = 0.0
    poll: float = 10.0
    external_tracing: bool = False
    original_metrics: bool = False
    environment: str = "unknown"


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises `SettingsError` naming every missing and every invalid variable.

    An empty variable counts as missing. Numbers outside of their range are problems, and are not clipped.
    """
    missing = [name for name in REQUIRED if not _read_text(environ, name)]
    problems = [f"missing: {', '.join(missing)}"] if missing else []
    settings = Settings(
        request_queue_url=_read_text(environ, REQUEST_QUEUE),
        response_queue_url=_read_text(environ, RESPONSE_QUEUE),
        account_key=_read_text(environ, ACCOUNT_KEY),
        dead_letter_queue_url=_read_text(environ, DEAD_LETTER_QUEUE) or None,
        attachment_bucket=_read_text(environ, "PLEXUS_ATTACHMENT_BUCKET") or None,
        artifact_bucket=_read_text(environ, "PLEXUS_ARTIFACT_BUCKET") or None,
        cache_dir=Path(environ.get("SCORECARD_CACHE_DIR") or Settings.cache_dir),
        log_level=_read_level(environ, problems),
        lease=_read_number(environ, "PLEXUS_LEASE_SECONDS", Settings.lease, 1, LONGEST_LEASE, problems),
        clock_skew=_read_number(environ, "PLEXUS_CLOCK_SKEW_SECONDS", Settings.clock_skew, 0, 300, problems),
        retry_base=_read_number(environ, "PLEXUS_RETRY_BASE_SECONDS", Settings.retry_base, 0, 900, problems),
        reserve=_read_number(environ, "PLEXUS_RESERVE_SECONDS", Settings.reserve, 0, 300, problems),
        concurrency=int(_read_number(environ, "PLEXUS_CONCURRENCY", Settings.concurrency, 1, 10, problems)),
        crash_limit=int(_read_number(environ, "PLEXUS_CRASH_LIMIT", Settings.crash_limit, 1, 100, problems)),
        expire_after_days=_read_number(
            environ, "PLEXUS_EXPIRE_AFTER_DAYS", Settings.expire_after_days, 0, 3650, problems
        ),
        poll=_read_number(environ, "PLEXUS_POLL_SECONDS", Settings.poll, 0, 20, problems),
        external_tracing=_read_boolean(environ, "PLEXUS_EXTERNAL_TRACING", problems),
        original_metrics=_read_boolean(environ, "PLEXUS_ORIGINAL_METRICS", problems),
        tables=_read_tables(environ, problems),
        environment=_read_text(environ, "environment") or Settings.environment,
    )
    if problems:
        raise SettingsError(
            f"invalid environment of the function: {'; '.join(problems)}; "
            "next: set it in stages/STAGE.toml [function.environment], then make config"
        )
    return settings


def _read_text(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _read_level(environ: Mapping[str, str], problems: list[str]) -> str:
    """Return the log level; append to `problems` if there is no such level."""
    level = environ.get("LOG_LEVEL", "").upper() or Settings.log_level
    if level not in LEVELS:
        problems.append(f"LOG_LEVEL is {level!r}, expected one of {', '.join(LEVELS)}")
    return level


def _read_tables(environ: Mapping[str, str], problems: list[str]) -> Tables:
    """Return the names of tables and indexes; append to `problems` if the indexes are not pairs."""
    indexes = environ.get("PLEXUS_TABLE_INDEXES", "")
    pairs: dict[str, str] = {}
    if _INDEXES.fullmatch(indexes):
        pairs = dict(pair.split("=", 1) for pair in indexes.split(",") if pair)
    else:
        problems.append(f"PLEXUS_TABLE_INDEXES is {indexes!r}, expected TABLE=INDEX,...")
    return Tables(environ.get("PLEXUS_TABLE_PREFIX", ""), environ.get("PLEXUS_TABLE_SUFFIX", ""), pairs)


def _read_boolean(environ: Mapping[str, str], name: str, problems: list[str]) -> bool:
    """Return whether a variable is true; false if it is not set. Appends to `problems` if it is something else."""
    text = _read_text(environ, name).lower() or "false"
    if text not in ("true", "false"):
        problems.append(f"{name} is {text!r}, expected true or false")
    return text == "true"


def _read_number(
    environ: Mapping[str, str], name: str, default: float, low: float, high: float, problems: list[str]
) -> float:
    """Return a variable's number; if it is outside its limits, append to `problems` and return the default."""
    text = _read_text(environ, name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        problems.append(f"{name} is {text!r}, expected a number from {low:g} to {high:g}")
        return default
    return value
