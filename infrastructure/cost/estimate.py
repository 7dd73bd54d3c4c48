"""The estimate: from settings, prices and usage to dollars a month, item by item. Pure arithmetic, nothing is asked."""

import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages import Stage

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "plexus/graph/prices.toml"
PRICES, USAGE = HERE / "prices.toml", HERE / "usage.toml"
GB, KB = 1e9, 1024
MONTH_MINUTES = 30 * 24 * 60
METRICS, ALARMS = 15, 8  # those of handler/metrics.py and of stacks/alarms.py; a test holds them
Table = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One item of the bill; `amount` counts `unit`s in a month."""

    service: str
    what: str
    amount: float
    unit: str
    usd: float


def read(path: Path) -> Table:
    """A table of prices or of usage."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def estimate(settings: Stage, jobs: int, kind: str, prices: Table, usage: Table) -> list[Line]:
    """The lines of a month with `jobs` jobs of `kind` (`light` or `graph`), spread evenly enough to fill batches."""
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
    requests = batches * sum(calls[one] for one in ("receive", "delete", "respond", "sender"))
    yield Line("SQS", "requests", requests, "requests", requests / 1e6 * price)
    if settings.event_source.enabled:
        idle = calls["idle_receives_minute"] * MONTH_MINUTES
        yield Line("SQS", "the event source's polls while idle", idle, "requests", idle / 1e6 * price)


def _tables(settings: Stage, jobs: int, prices: Table, usage: Table) -> Iterator[Line]:
    price, sizes = prices["dynamodb"], usage["sizes"]
    writes = jobs * sum(usage["writes"].values())
    reads = jobs * (usage["calls"]["read_records"] - 1 + math.ceil((sizes["item"] + sizes["text"]) / (4 * KB)))
    stored = jobs * (sizes["job"] + sizes["item"] + sizes["text"] + 3 * sizes["result"]) / GB
    yield Line("DynamoDB", "writes", writes, "units", writes / 1e6 * price["write_units_million"])
    yield Line("DynamoDB", "reads", reads, "units", reads / 1e6 * price["read_units_million"])
    yield Line("DynamoDB", "storage of the month's records", stored, "GB", stored * price["storage_gb_month"])
    if settings.tables.point_in_time_recovery:
        yield Line("DynamoDB", "point-in-time recovery", stored, "GB", stored * price["recovery_gb_month"])


def _logs(settings: Stage, jobs: int, prices: Table, usage: Table) -> Iterator[Line]:
    size = jobs * usage["sizes"]["log"] / GB
    kept = size * settings.retention_days / 30
    yield Line("CloudWatch", "log lines written", size, "GB", size * prices["logs"]["ingested_gb"])
    yield Line(
        "CloudWatch", f"kept {settings.retention_days} days", kept, "GB", kept * prices["logs"]["stored_gb_month"]
    )


def _traces(settings: Stage, batches: int, prices: Table) -> Iterator[Line]:
    """Lambda records the first invocation of each second, and one in twenty of the others."""
    if settings.function.tracing:
        first = min(batches, MONTH_MINUTES * 60)
        recorded = first + (batches - first) / 20
        yield Line("X-Ray", "traces recorded", recorded, "traces", recorded / 1e6 * prices["xray"]["traces_million"])


def _standing(prices: Table, usage: Table) -> Iterator[Line]:
    """What is paid without any job."""
    price, sizes = prices["cloudwatch"], usage["sizes"]
    watching = METRICS * price["metric_month"] + ALARMS * price["alarm_month"] + price["dashboard_month"]
    yield Line("CloudWatch", "metrics, alarms, dashboard", METRICS + ALARMS + 1, "things", watching)
    stored = sizes["images_kept"] * sizes["image"] / GB
    yield Line("ECR", f"{sizes['images_kept']} images", stored, "GB", stored * prices["ecr"]["storage_gb_month"])


def provider(jobs: int, usage: Table) -> float:
    """What the models cost, in US dollars, by the scoring engine's own price table."""
    asked, price = usage["provider"], read(MODELS)["models"][usage["provider"]["model"]]
    tokens = asked["input_tokens"] * float(price["input"]) + asked["output_tokens"] * float(price["output"])
    return float(jobs * asked["calls"] * tokens / 1e6)
