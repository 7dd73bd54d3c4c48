"""CloudWatch's embedded metric format: one line of the log for each invocation, from which CloudWatch makes metrics."""

import json
from collections import Counter
from collections.abc import Sequence

from handler.batch import Ending, Outcome

NAMESPACE = "ScoreProcessor"
_MOST_VALUES = 100  # of one metric in one line
_BY_ENDING = {
    Ending.COMPLETED: "JobsCompleted",
    Ending.DUPLICATE: "JobsDuplicate",
    Ending.FAILED: "JobsFailed",
    Ending.DEAD_LETTERED: "JobsDeadLettered",
    Ending.REQUEUED: "JobsRequeued",
    Ending.RETRIED: "JobsRetried",
    Ending.RETURNED: "JobsReturned",
}
UNITS = {
    **dict.fromkeys(_BY_ENDING.values(), "Count"),
    "ColdStarts": "Count",
    "ProviderCalls": "Count",
    "InputTokens": "Count",
    "OutputTokens": "Count",
    "Cost": "None",  # US dollars
    "JobDuration": "Milliseconds",
    "MessageAge": "Seconds",
    "ReceiveCount": "Count",
}
Metrics = dict[str, float | list[float]]


def of(outcomes: Sequence[Outcome], wall: float, cold: bool) -> Metrics:
    """An invocation's metrics, without those that have nothing to say; `wall` is now."""
    metrics: Metrics = {}
    metrics.update(Counter(_BY_ENDING[outcome.ending] for outcome in outcomes))
    efforts = [outcome.effort for outcome in outcomes if outcome.effort]
    metrics["ColdStarts"] = int(cold)
    metrics["ProviderCalls"] = sum(effort.provider_calls for effort in efforts)
    metrics["InputTokens"] = sum(effort.input_tokens for effort in efforts)
    metrics["OutputTokens"] = sum(effort.output_tokens for effort in efforts)
    metrics["Cost"] = round(sum(effort.cost for effort in efforts), 9)
    metrics["JobDuration"] = [round(1000 * effort.seconds, 1) for effort in efforts]
    sent = [outcome.delivery.sent for outcome in outcomes]
    metrics["MessageAge"] = [round(max(0.0, wall - at), 3) for at in sent if at is not None]
    metrics["ReceiveCount"] = [float(outcome.delivery.receive_count or 1) for outcome in outcomes]
    return {name: value for name, value in metrics.items() if value}


def line(metrics: Metrics, function_name: str, wall: float, trace_id: str | None = None) -> str:
    """The line of the log; at most 100 values of each metric are told. The trace is no dimension, only told beside."""
    told = {name: value[:_MOST_VALUES] if isinstance(value, list) else value for name, value in metrics.items()}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in told],
    }
    about = {"Timestamp": int(wall * 1000), "CloudWatchMetrics": [directive]}
    trace = {"trace_id": trace_id} if trace_id else {}
    return json.dumps({"_aws": about, "FunctionName": function_name, **trace, **told})
