"""The estimate as docs/cost.md."""

from infrastructure.cost import estimate
from infrastructure.cost.estimate import Line, Table
from stages import Stage

JOBS = {"10 thousand": 10_000, "1 million": 1_000_000, "100 million": 100_000_000}
KINDS = {"light": "keyword, SVM, XGBoost", "graph": "a graph of two provider calls"}
HEAD = """# What it costs

An estimate for a month, made by `make cost-estimate` from the stage file, the price table
[`infrastructure/cost/prices.toml`](../infrastructure/cost/prices.toml) ({as_of}, us-west-2, without free tiers)
and what one job uses, [`usage.toml`](../infrastructure/cost/usage.toml): sizes are measured on the local AWS, times
on AWS are assumed. Edit those files and run it again; a test holds this page to them. What was really paid per
thousand jobs: `make costs`.
"""
TAIL = """## Reading it

- A light job costs most in DynamoDB: the write units of the transaction that makes the effect exactly-once. Sharing
  claims and commits among jobs would save few of them, since units are counted by item.
- A graph's models cost more than all of AWS. Its Lambda time is waiting: a batch of ten waits once, so batches of
  one would cost nearly ten times the compute.
- Memory buys processors: Lambda bills GB × seconds, so less memory is only cheaper where the job waits.
  `make invoke` says what was used.
- Storage grows by the month's share every month; expire or export old results if you do not need them.
- An event source that is switched on polls whether there is work or not: about 0.26 dollars a month.
- Not in it: data transfer out of the region, the queue's other readers, S3 (a few objects a deploy), the pipelines.
"""


def page(stages: list[Stage], prices: Table, usage: Table) -> str:
    """The whole page, as Markdown."""
    parts = [HEAD.format(as_of=prices["as_of"])]
    parts += [part for settings in stages for part in _stage(settings, prices, usage)]
    return "\n".join([*parts, TAIL])


def _stage(settings: Stage, prices: Table, usage: Table) -> list[str]:
    shape = f"{settings.function.memory_mb} MB, batches of {settings.event_source.batch_size}"
    parts = [f"## {settings.name}: {shape}", ""]
    for kind, told in KINDS.items():
        parts += [f"### {told[0].upper()}{told[1:]}", "", *_table(settings, kind, prices, usage), ""]
    return parts


def _table(settings: Stage, kind: str, prices: Table, usage: Table) -> list[str]:
    columns = [estimate.estimate(settings, jobs, kind, prices, usage) for jobs in JOBS.values()]
    rows = ["| US dollars a month | " + " | ".join(f"{name} jobs" for name in JOBS) + " |", "|---|---:|---:|---:|"]
    rows += [_row(lines) for lines in zip(*columns, strict=True)]
    totals = [sum(line.usd for line in lines) for lines in columns]
    rows.append(_cells("**AWS in all**", totals, bold=True))
    rows.append(
        _cells("AWS for a thousand jobs", [1000 * usd / jobs for usd, jobs in zip(totals, JOBS.values(), strict=True)])
    )
    if kind == "graph":
        model = usage["provider"]["model"]
        rows.append(_cells(f"the models ({model})", [estimate.provider(jobs, usage) for jobs in JOBS.values()]))
    return rows


def _row(lines: tuple[Line, ...]) -> str:
    return _cells(f"{lines[0].service}: {lines[0].what}", [line.usd for line in lines])


def _cells(name: str, amounts: list[float], *, bold: bool = False) -> str:
    mark = "**" if bold else ""
    return f"| {name} | " + " | ".join(f"{mark}{money(usd)}{mark}" for usd in amounts) + " |"


def money(usd: float) -> str:
    """Dollars and cents, or enough digits to see what a thousand jobs cost."""
    return f"{usd:,.2f}" if usd >= 1 or usd == 0 else f"{usd:.4f}"
