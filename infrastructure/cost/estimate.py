"""The estimate, item by item: from settings, prices and usage to US dollars per month. Pure functions."""

import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages import Stage

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "plexus/models.toml"
PRICES, USAGE = HERE / "prices.toml", HERE / "usage.toml"
GB, KB = 1e9, 1024
MONTH_MINUTES = 30 * 24 * 60
METRICS, ALARMS = 16, 9  # metrics in handler/metrics.py, and those that stacks/alarms.py watches; compared by a test
Table = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One item of the monthly bill: `amount` in `unit`s, and its price in US dollars."""

    service: str
    what: str
    amount: float
    unit: str
    usd: float


def read(path: Path) -> Table:
    """Read a table of prices or of usage."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def estimate(settings: Stage, jobs: int, kind: str, prices: Table, usage: Table) -> list[Line]:
    """Return the lines of a month with `jobs` jobs of a kind (`light` or `graph`), assuming that batches are full."""
    batches = math.ceil(jobs / settings.event_source.batch_size)
    return [
        *_function(settings, batches, usage["seconds"][kind] * settings.event_source.batch_size / 10, prices),
        *_queues(settings, batches, prices, usage),
        *_tables(settings, jobs, prices, usage),
        *_logs(settings, jobs, prices, usage),
        *_traces(settings, batches, prices),
        *_standing(prices, usage),
    ]


def _function(settings: Stage, batches: int, seconds: float, prices: Table) -> Iterator[Line]:
    price, shape = prices["lambda"], settings.function
    gb_seconds = batches * seconds * shape.memory_mb / KB
    yield Line("Lambda", "compute", gb_seconds, "GB-s", gb_seconds * price["gb_second"])
    yield Line("Lambda", "requests", batches, "requests", batches / 1e6 * price["requests_million"])
    if shape.ephemeral_mb > 512:
        extra = batches * seconds * (shape.ephemeral_mb - 512) / KB
        yield Line("Lambda", "larger /tmp", extra, "GB-s", extra * price["ephemeral_gb_second"])


def _queues(settings: Stage, batches: int, prices: Table, usage: Table) -> Iterator[Line]:
    calls, price = usage["calls"], prices["sqs"]["requests_million"]
    requests = batches * sum(calls[call] for call in ("receive", "delete", "respond", "sender"))
    yield Line("SQS", "requests", requests, "requests", requests / 1e6 * price)
    if settings.event_source.enabled:
        idle = calls["idle_receives_minute"] * MONTH_MINUTES
        yield Line("SQS", "event source polls while idle", idle, "requests", idle / 1e6 * price)


def _tables(settings: Stage, jobs: int, prices: Table, usage: Table) -> Iterator[Line]:
    price, sizes = prices["dynamodb"], usage["sizes"]
    writes = jobs * sum(usage["writes"].values())
    reads = jobs * (usage["calls"]["read_records"] - 1 + math.ceil((sizes["item"] + sizes["text"]) / (4 * KB)))
    stored = jobs * (sizes["job"] + sizes["item"] + sizes["text"] + 3 * sizes["result"]) / GB
    yield Line("DynamoDB", "writes", writes, "units", writes / 1e6 * price["write_units_million"])
    yield Line("DynamoDB", "reads", reads, "units", reads / 1e6 * price["read_units_million"])
    yield Line("DynamoDB", "storage of one month's records", stored, "GB", stored * price["storage_gb_month"])
    if settings.tables.point_in_time_recovery:
        yield Line("DynamoDB", "point-in-time recovery", stored, "GB", stored * price["recovery_gb_month"])


def _logs(settings: Stage, jobs: int, prices: Table, usage: Table) -> Iterator[Line]:
    size = jobs * usage["sizes"]["log"] / GB
    kept = size * settings.retention_days / 30
    yield Line("CloudWatch", "log ingestion", size, "GB", size * prices["logs"]["ingested_gb"])
    yield Line(
        "CloudWatch",
        f"log storage, {settings.retention_days} days",
        kept,
        "GB",
        kept * prices["logs"]["stored_gb_month"],
    )


def _traces(settings: Stage, batches: int, prices: Table) -> Iterator[Line]:
    # Lambda samples the first invocation of each second, and one in twenty of the others.
    if settings.function.tracing:
        first = min(batches, MONTH_MINUTES * 60)
        recorded = first + (batches - first) / 20
        yield Line("X-Ray", "traces recorded", recorded, "traces", recorded / 1e6 * prices["xray"]["traces_million"])


def _standing(prices: Table, usage: Table) -> Iterator[Line]:
    """Yield the items that are billed even without any job."""
    price, sizes = prices["cloudwatch"], usage["sizes"]
    watching = METRICS * price["metric_month"] + ALARMS * price["alarm_month"] + price["dashboard_month"]
    yield Line("CloudWatch", "metrics, alarms, dashboard", METRICS + ALARMS + 1, "items", watching)
    stored = sizes["images_kept"] * sizes["image"] / GB
    yield Line("ECR", f"{sizes['images_kept']} images", stored, "GB", stored * prices["ecr"]["storage_gb_month"])


def provider(jobs: int, usage: Table) -> float:
    """Return the cost of the models in US dollars, according to the scoring engine's own price table."""
    calls = usage["provider"]
    price = read(MODELS)["models"][calls["model"]]
    cost = sum(calls[f"{kind}_tokens"] * float(price[kind]) for kind in ("input", "output"))
    return float(jobs * calls["calls"] * cost / 1e6)
