"""What differs between stages, as frozen values; `stages.load` reads and checks them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Images:
    """The repository's housekeeping: which tags are never expired, and after how many days the rest is."""

    protected_tag_prefix: str
    expire_after_days: int


@dataclass(frozen=True)
class Function:
    """The function's shape; `tracing` is X-Ray's. Which image it runs is a parameter of its stack, never a setting."""

    name: str
    alias: str
    memory_mb: int
    timeout_s: int
    ephemeral_mb: int
    reserved_concurrency: int | None
    tracing: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def tracing_mode(self) -> str:
        """Lambda's word: `Active` begins traces, `PassThrough` records none of its own."""
        return "Active" if self.tracing else "PassThrough"


@dataclass(frozen=True)
class Queues:
    """Names of the four queues, and how a message is redelivered."""

    request: str
    response: str
    request_dead_letters: str
    response_dead_letters: str
    visibility_timeout_s: int
    max_receive_count: int


@dataclass(frozen=True)
class Tables:
    """What stands before each table's name, and how the tables are protected."""

    prefix: str
    point_in_time_recovery: bool
    deletion_protection: bool


@dataclass(frozen=True)
class EventSource:
    """The event source mapping between the request queue and the alias."""

    enabled: bool
    batch_size: int
    maximum_batching_window_s: int
    maximum_concurrency: int


@dataclass(frozen=True)
class Sweep:
    """How often what a crash left behind is sent again; 0 minutes is never."""

    every_minutes: int


@dataclass(frozen=True)
class Alarms:
    """What is worth waking someone for; `topic` is the ARN of an SNS topic, or empty."""

    oldest_message_s: int
    provider_cost_usd_per_hour: int
    topic: str


@dataclass(frozen=True)
class Stage:
    """One place where the worker runs: everything that its file says."""

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

    @property
    def is_local(self) -> bool:
        """Whether the stage is the local AWS, which cannot hold every resource type."""
        return self.name == "local"

    @property
    def is_guarded(self) -> bool:
        """Whether a change asks before it acts."""
        return not self.is_local

    @property
    def log_group(self) -> str:
        """The log group that Lambda writes the function's lines to."""
        return f"/aws/lambda/{self.function.name}"

    def table(self, name: str) -> str:
        """The stage's name for the table of these records."""
        return f"{self.tables.prefix}{name}"
