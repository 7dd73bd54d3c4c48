"""Render the estimate as docs/reference/cost.md."""

from infrastructure.cost import estimate
from infrastructure.cost.estimate import Line, Table
from stages import Stage

JOBS = {"10 thousand": 10_000, "1 million": 1_000_000, "100 million": 100_000_000}
KINDS = {"light": "keyword, SVM, XGBoost", "graph": "a graph of two provider calls"}
HEAD = """# Cost

A monthly estimate, written by `make cost-estimate` from the stage file, the price table
[`infrastructure/cost/prices.toml`](../../infrastructure/cost/prices.toml) ({as_of}, us-west-2, without free tiers)
and the usage of one job, [`usage.toml`](../../infrastructure/cost/usage.toml). Sizes were measured on the local AWS;
durations on AWS are assumptions. To change the estimate, edit those files and run the command again. `make costs`
shows what the models really cost per thousand jobs.
"""
TAIL = """## How to read the estimate

- Most of the cost of a light job is DynamoDB: the write units of the transaction that makes the effect exactly-once.
  Sharing claims and commits among jobs would save few of them, since units are counted per item.
- The models of a graph cost more than all of AWS. Its Lambda time is spent waiting. A batch of ten waits once, so
  batches of one would cost nearly ten times as much compute.
- More memory means more processors. Lambda bills GB × seconds, so less memory is only cheaper if the job waits.
  `make invoke` prints the peak memory.
- Models have the prices of the scoring engine: [`plexus/models.toml`](../../plexus/models.toml), with a date and a
  source. `plexus models --renew` renews it from litellm's table. A result whose model has no price, or whose provider
  reports no tokens, has no cost; the metric `UnpricedJobs` counts them.
- Storage grows by the same amount every month. Expire or export old results if you do not need them.
- An enabled event source polls even if there is no work, for about 0.26 dollars a month.
- Not included: data transfer out of the region, other consumers of the queues, S3 (a few objects per deploy), and the
  pipelines.
"""


def page(stages: list[Stage], prices: Table, usage: Table) -> str:
    """Render the page as Markdown."""
    parts = [HEAD.format(as_of=prices["as_of"])]
    parts += [part for settings in stages for part in _stage(settings, prices, usage)]
    return "\n".join([*parts, TAIL])


def _stage(settings: Stage, prices: Table, usage: Table) -> list[str]:
    shape = f"{settings.function.memory_mb} MB, batches of {settings.event_source.batch_size}"
    parts = [f"## {settings.name}: {shape}", ""]
    for kind, scores in KINDS.items():
        parts += [f"### {scores[0].upper()}{scores[1:]}", "", *_table(settings, kind, prices, usage), ""]
    return parts


def _table(settings: Stage, kind: str, prices: Table, usage: Table) -> list[str]:
    columns = [estimate.estimate(settings, jobs, kind, prices, usage) for jobs in JOBS.values()]
    rows = ["| US dollars per month | " + " | ".join(f"{name} jobs" for name in JOBS) + " |", "|---|---:|---:|---:|"]
    rows += [_row(lines) for lines in zip(*columns, strict=True)]
    totals = [sum(line.usd for line in lines) for lines in columns]
    rows.append(_cells("**total AWS**", totals, bold=True))
    rows.append(
        _cells("AWS per thousand jobs", [1000 * usd / jobs for usd, jobs in zip(totals, JOBS.values(), strict=True)])
    )
    if kind == "graph":
        model = usage["provider"]["model"]
        rows.append(_cells(f"models ({model})", [estimate.provider(jobs, usage) for jobs in JOBS.values()]))
    return rows


def _row(lines: tuple[Line, ...]) -> str:
    return _cells(f"{lines[0].service}: {lines[0].what}", [line.usd for line in lines])


def _cells(name: str, amounts: list[float], *, bold: bool = False) -> str:
    mark = "**" if bold else ""
    return f"| {name} | " + " | ".join(f"{mark}{money(usd)}{mark}" for usd in amounts) + " |"


def money(usd: float) -> str:
    """Format dollars and cents; with four decimals below one dollar, for the cost of a thousand jobs."""
    return f"{usd:,.2f}" if usd >= 1 or usd == 0 else f"{usd:.4f}"
