"""Metrics in CloudWatch's embedded metric format: one log line per invocation, which CloudWatch turns into metrics."""

import json
from collections import Counter
from collections.abc import Sequence

from handler.outcome import Disposition, MessageOutcome

NAMESPACE = "ScoreProcessor"
_MAXIMUM_VALUES = 100  # CloudWatch's limit for one metric in one line
_COUNTERS = {
    Disposition.COMPLETED: "JobsCompleted",
    Disposition.DUPLICATE: "JobsDuplicate",
    Disposition.FAILED: "JobsFailed",
    Disposition.DEAD_LETTERED: "JobsDeadLettered",
    Disposition.REQUEUED: "JobsRequeued",
    Disposition.RETRIED: "JobsRetried",
    Disposition.RETURNED: "JobsReturned",
}
UNITS = {
    **dict.fromkeys(_COUNTERS.values(), "Count"),
    "ColdStarts": "Count",
    "ProviderCalls": "Count",
    "InputTokens": "Count",
    "OutputTokens": "Count",
    "Cost": "None",  # US dollars, of the calls whose cost is known
    "UnpricedJobs": "Count",
    "JobDuration": "Milliseconds",
    "MessageAge": "Seconds",
    "ReceiveCount": "Count",
}
Metrics = dict[str, float | list[float]]


def collect(outcomes: Sequence[MessageOutcome], wall: float, cold: bool) -> Metrics:
    """Return the metrics of an invocation; those that are zero or have no values are left out.

    `wall` is the current time in Unix seconds; `cold` says whether this is the environment's first invocation.
    """
    metrics: Metrics = {}
    metrics.update(Counter(_COUNTERS[outcome.disposition] for outcome in outcomes))
    stats = [outcome.stats for outcome in outcomes if outcome.stats]
    metrics["ColdStarts"] = int(cold)
    metrics["ProviderCalls"] = sum(job.provider_calls for job in stats)
    metrics["InputTokens"] = sum(job.input_tokens for job in stats)
    metrics["OutputTokens"] = sum(job.output_tokens for job in stats)
    metrics["UnpricedJobs"] = sum(job.is_unpriced for job in stats)
    metrics["Cost"] = round(sum(job.cost for job in stats), 9)
    metrics["JobDuration"] = [round(1000 * job.seconds, 1) for job in stats]
    sent = [outcome.message.sent for outcome in outcomes]
    metrics["MessageAge"] = [round(max(0.0, wall - at), 3) for at in sent if at is not None]
    metrics["ReceiveCount"] = [float(outcome.message.receive_count or 1) for outcome in outcomes]
    return {name: value for name, value in metrics.items() if value}


def format_line(metrics: Metrics, function_name: str, wall: float, trace_id: str | None = None) -> str:
    """Return the log line; of each metric, at most 100 values are kept.

    `trace_id` is a property of the line and not a dimension, since each value of a dimension is billed as a metric.
    """
    values = {name: value[:_MAXIMUM_VALUES] if isinstance(value, list) else value for name, value in metrics.items()}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in values],
    }
    metadata = {"Timestamp": int(wall * 1000), "CloudWatchMetrics": [directive]}
    trace = {"trace_id": trace_id} if trace_id else {}
    return json.dumps({"_aws": metadata, "FunctionName": function_name, **trace, **values})
