"""The settings that differ between stages, as frozen values; `stages.load` reads and validates them."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Index(NamedTuple):
    """A secondary index: its name, and the attribute by which its records are sorted, or empty."""

    name: str
    sort: str = ""


AMPLIFY_TABLES = ("Account", "Item", "Scorecard", "Score", "ScoreVersion", "ScoringJob", "ScoreResult")
INDEXES = {
    "Account": Index("byKey"),
    "Score": Index("byScorecard"),
    "ScoreResult": Index("byScorecard", "createdAt"),
}
# Amplify names an index after the model and the fields, unless the schema names it.
AMPLIFY_INDEXES = {
    "Account": Index("accountsByKey"),
    "Score": Index("byScorecardIdAndExternalId", "externalId"),
    "ScoreResult": Index("scoreResultsByScorecardIdAndUpdatedAt", "updatedAt"),
}


@dataclass(frozen=True)
class Images:
    """The lifecycle policy of the image repository: images with the tag prefix never expire, all others do."""

    protected_tag_prefix: str
    expire_after_days: int


@dataclass(frozen=True)
class Function:
    """The function's configuration; `tracing` is X-Ray's, `models` are ARNs of Bedrock's models, with spaces between.

    The image is a parameter of its stack, not a setting.
    """

    name: str
    alias: str
    memory_mb: int
    timeout_s: int
    ephemeral_mb: int
    reserved_concurrency: int | None
    tracing: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    models: str = ""

    @property
    def tracing_mode(self) -> str:
        """Lambda's tracing mode: `Active` samples invocations, `PassThrough` only continues a caller's trace."""
        return "Active" if self.tracing else "PassThrough"


@dataclass(frozen=True)
class Queues:
    """The names of the four queues, and how long and how often a message of the request queue is delivered."""

    request: str
    response: str
    request_dead_letters: str
    response_dead_letters: str
    visibility_timeout_s: int
    max_receive_count: int


@dataclass(frozen=True)
class Tables:
    """The names of the tables, the protection of those that the stage creates, and how long ended jobs are kept.

    `expire_after_days` counts from the end of a job; with 0 jobs and results are never deleted.

    With `amplify`, the id that Amplify appends to its names, the records are in Amplify's tables and `prefix` begins
    the names of the others. `indexes` replaces names of INDEXES, by table, and `attachments` is the original's bucket
    of traces, or empty.
    """

    prefix: str
    point_in_time_recovery: bool
    deletion_protection: bool
    expire_after_days: int = 0
    amplify: str = ""
    attachments: str = ""
    indexes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EventSource:
    """The event source mapping between the request queue and the alias."""

    enabled: bool
    batch_size: int
    maximum_batching_window_s: int
    maximum_concurrency: int


@dataclass(frozen=True)
class Sweep:
    """How often the responses that a crash left unsent are sent; 0 minutes means never."""

    every_minutes: int


@dataclass(frozen=True)
class Release:
    """The order of stages: an image is deployed here once the stage `after` has served it; empty means at any time.

    `reader` is the account of the stage that follows, which may read this stage's ledger, or empty. A canary that
    receives no call scores up to `synthetic_jobs` jobs of stored results in the shadow, by both versions; 0 forbids it.
    """

    after: str = ""
    reader: str = ""
    synthetic_jobs: int = 0


@dataclass(frozen=True)
class Alarms:
    """The thresholds of the alarms, and who is notified.

    `oldest_message_s` is the promise: the age at which the oldest request is late. `failed_percent` is the share of
    invocations that may fail within five minutes. `notify` is an e-mail or HTTPS address that is subscribed to the
    stage's own SNS topic, or empty; `topic` is the ARN of another topic to notify instead, or empty.
    """

    oldest_message_s: int
    provider_cost_usd_per_hour: int
    topic: str = ""
    notify: str = ""
    failed_percent: int = 5


@dataclass(frozen=True)
class Stage:
    """An environment in which the worker runs, with all settings of its file."""

    name: str
    region: str
    account: str
    account_key: str
    repository: str
    images: Images
    function: Function
    queues: Queues
    tables: Tables
    bucket: str
    event_source: EventSource
    sweep: Sweep
    retention_days: int
    alarms: Alarms
    release: Release = field(default_factory=Release)
    encryption_key: str = ""  # the ARN of the account's own key for texts at rest; empty: keys that AWS owns
    reach: str = ""  # what functions of the local AWS reach beside it: `HOST:PORT ...`, or `*` for everything

    @property
    def is_local(self) -> bool:
        """Whether the stage is the local AWS, which does not support every resource type."""
        return self.name == "local"

    @property
    def is_production(self) -> bool:
        """Whether it is `production`, or the production of another region: `production-eu` has the same checks."""
        return self.name == "production" or self.name.startswith("production-")

    @property
    def is_guarded(self) -> bool:
        """Whether commands that change the stage ask for confirmation."""
        return not self.is_local

    @property
    def log_group(self) -> str:
        """The log group to which Lambda writes the function's log."""
        return f"/aws/lambda/{self.function.name}"

    def table(self, name: str) -> str:
        """Return the stage's name of a table."""
        return f"{name}{self.table_suffix}" if self.is_foreign(name) else f"{self.tables.prefix}{name}"

    def index(self, table: str) -> Index:
        """Return the index of a table by which its records are found."""
        name, sort = (AMPLIFY_INDEXES if self.tables.amplify else INDEXES)[table]
        return Index(self.tables.indexes.get(table, name), sort)

    def is_foreign(self, table: str) -> bool:
        """Whether a table is Amplify's, so that the stage does not create it."""
        return bool(self.tables.amplify) and table in AMPLIFY_TABLES

    @property
    def table_suffix(self) -> str:
        """What follows the names of Amplify's tables; empty without them."""
        return f"-{self.tables.amplify}" if self.tables.amplify else ""

    @property
    def table_variables(self) -> dict[str, str]:
        """The environment variables by which the worker knows the tables, their indexes, and when records expire."""
        days = self.tables.expire_after_days
        variables = {"PLEXUS_TABLE_PREFIX": self.tables.prefix}
        variables |= {"PLEXUS_EXPIRE_AFTER_DAYS": str(days)} if days else {}
        if not self.tables.amplify:
            return variables
        indexes = ",".join(f"{table}={self.index(table).name}" for table in ("Account", "Score"))
        bucket = {"PLEXUS_ATTACHMENT_BUCKET": self.tables.attachments} if self.tables.attachments else {}
        return variables | {"PLEXUS_TABLE_SUFFIX": self.table_suffix, "PLEXUS_TABLE_INDEXES": indexes} | bucket
