"""A stage: what `stages/<name>.toml` says about one place where the worker runs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._errors import InvalidStage

ROOT = Path(__file__).resolve().parent.parent
STAGES = ROOT / "stages"
SECTIONS = ("function", "queues", "tables", "artifacts", "event_source", "logs", "images")
INFRASTRUCTURE_ONLY = frozenset(
    {  # keys that only the templates depend on
        "images.expire_after_days",
        "tables.point_in_time_recovery",
        "tables.deletion_protection",
    }
)


@dataclass(frozen=True)
class Function:
    """The Lambda function's own settings."""

    name: str
    alias: str
    memory_mb: int
    timeout_s: int
    ephemeral_mb: int = 512
    reserved_concurrency: int | None = None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Queues:
    """Names of the request and the response queue, and how often a request is tried."""

    request: str
    response: str
    request_dead_letters: str
    response_dead_letters: str
    visibility_timeout_s: int
    max_receive_count: int


@dataclass(frozen=True)
class EventSource:
    """How the request queue feeds the function."""

    enabled: bool = False
    batch_size: int = 10
    maximum_concurrency: int | None = None
    maximum_batching_window_s: int = 0


@dataclass(frozen=True)
class Stage:
    """One stage file, checked."""

    name: str
    region: str
    account: str
    account_key: str
    repository: str
    function: Function
    queues: Queues
    event_source: EventSource
    table_prefix: str = ""
    artifact_bucket: str = ""
    log_retention_days: int = 30
    protected_tag_prefix: str = "deployed-"

    @property
    def is_local(self) -> bool:
        """Whether the stage lives in the local AWS."""
        return self.name == "local"

    @property
    def is_guarded(self) -> bool:
        """Whether a change asks before it acts."""
        return not self.is_local

    @property
    def log_group(self) -> str:
        """The function's log group."""
        return f"/aws/lambda/{self.function.name}"

    def table(self, name: str) -> str:
        """Return the stage's name for the table of these records."""
        return f"{self.table_prefix}{name}"


class _Reader:
    """Takes typed keys out of a TOML table and remembers every problem instead of stopping at the first."""

    def __init__(self, table: dict[str, Any], problems: list[str], where: str = "") -> None:
        self.table, self.problems, self.where = dict(table), problems, where
        self.given = frozenset(table)

    def name(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def take(self, key: str, kind: type, default: Any = ...) -> Any:
        value = self.table.pop(key, default)
        if value is ...:
            self.problems.append(f"{self.name(key)} is missing: {_KINDS[kind]} is expected")
            return kind()
        if key in self.given and type(value) is not kind:
            self.problems.append(f"{self.name(key)} is {value!r}: {_KINDS[kind]} is expected")
            return kind()
        return value

    def positive(self, key: str, default: Any = ...) -> Any:
        value = self.take(key, int, default)
        if key in self.given and type(value) is int and value < 1:
            self.problems.append(f"{self.name(key)} is {value}: a number above 0 is expected")
        return value

    def section(self, key: str) -> _Reader:
        return _Reader(self.take(key, dict, {}), self.problems, self.name(key))

    def finish(self) -> None:
        for key, value in self.table.items():
            theirs = self.name(key) in INFRASTRUCTURE_ONLY or (not self.where and isinstance(value, dict))
            if not theirs:
                self.problems.append(f"{self.name(key)} is not a key of a stage file")


_KINDS = {str: "a text", int: "a whole number", bool: "true or false", dict: "a table"}


def parse_stage(name: str, text: str, where: str) -> Stage:
    """Return the stage that `text` (TOML) describes; raise InvalidStage with every problem in it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidStage(f"{where} is not TOML: {error}", "correct the line, then run the command again") from None
    problems: list[str] = []
    stage = _read(name, _Reader(document, problems))
    problems += _contradictions(stage) if not problems else []
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise InvalidStage(
            f"{where} has {len(problems)} problem{'s' * (len(problems) > 1)}:{lines}",
            "correct them all, then run the command again",
        )
    return stage


def _read(name: str, top: _Reader) -> Stage:
    sections = {key: top.section(key) for key in SECTIONS}
    function, queues = sections["function"], sections["queues"]
    stage = Stage(
        name=name,
        region=top.take("region", str),
        account=top.take("account", str),
        account_key=top.take("account_key", str),
        repository=top.take("repository", str),
        function=Function(
            name=function.take("name", str),
            alias=function.take("alias", str),
            memory_mb=function.positive("memory_mb"),
            timeout_s=function.positive("timeout_s"),
            ephemeral_mb=function.positive("ephemeral_mb", 512),
            reserved_concurrency=function.take("reserved_concurrency", int, None),
            environment=_texts(function.section("environment")),
        ),
        queues=Queues(
            request=queues.take("request", str),
            response=queues.take("response", str),
            request_dead_letters=queues.take("request_dead_letters", str),
            response_dead_letters=queues.take("response_dead_letters", str),
            visibility_timeout_s=queues.positive("visibility_timeout_s"),
            max_receive_count=queues.positive("max_receive_count"),
        ),
        event_source=_event_source(sections["event_source"]),
        table_prefix=sections["tables"].take("prefix", str, ""),
        artifact_bucket=sections["artifacts"].take("bucket", str, ""),
        log_retention_days=sections["logs"].positive("retention_days", 30),
        protected_tag_prefix=sections["images"].take("protected_tag_prefix", str, "deployed-"),
    )
    for reader in (*sections.values(), top):
        reader.finish()
    return stage


def _event_source(reader: _Reader) -> EventSource:
    return EventSource(
        enabled=reader.take("enabled", bool, False),
        batch_size=reader.positive("batch_size", 10),
        maximum_concurrency=reader.take("maximum_concurrency", int, None),
        maximum_batching_window_s=reader.take("maximum_batching_window_s", int, 0),
    )


def _texts(reader: _Reader) -> dict[str, str]:
    return {key: reader.take(key, str) for key in list(reader.table)}


def _contradictions(stage: Stage) -> list[str]:
    problems = [
        f"function.environment.{name} holds a secret: name where it is kept instead, as "
        f"arn:aws:secretsmanager:… or arn:aws:ssm:…"
        for name, value in stage.function.environment.items()
        if holds_secret(name, value)
    ]
    if stage.queues.visibility_timeout_s < stage.function.timeout_s:
        problems.append(
            f"queues.visibility_timeout_s is {stage.queues.visibility_timeout_s}, below function.timeout_s "
            f"({stage.function.timeout_s}): a message would come back while it is still being scored"
        )
    if not (128 <= stage.function.memory_mb <= 10240):
        problems.append(f"function.memory_mb is {stage.function.memory_mb}: 128 to 10240 is expected")
    if stage.function.timeout_s > 900:
        problems.append(f"function.timeout_s is {stage.function.timeout_s}: at most 900 is expected")
    return problems


_SECRET_WORDS = ("SECRET", "PASSWORD", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "CREDENTIAL", "ACCESS_KEY")
_REFERENCES = ("arn:aws:secretsmanager:", "arn:aws:ssm:")


def holds_secret(name: str, value: str) -> bool:
    """Whether a variable of this name holds the secret itself, not a reference to where it is kept."""
    return any(word in name.upper() for word in _SECRET_WORDS) and bool(value) and not value.startswith(_REFERENCES)


def load_stage(name: str, folder: Path = STAGES) -> Stage:
    """Return the stage of that name; an unknown one raises InvalidStage, which lists the known ones."""
    path = folder / f"{name}.toml"
    known = sorted(file.stem for file in folder.glob("*.toml"))
    if name not in known:
        names = ", ".join(known) or f"none: {folder} holds no stage files"
        raise InvalidStage(f"there is no stage {name!r}; the known stages are: {names}", "give one of them as STAGE=")
    return parse_stage(name, path.read_text(encoding="utf-8"), f"stages/{path.name}")
