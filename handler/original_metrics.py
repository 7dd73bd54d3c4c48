"""The original worker's metrics, for dashboards and alarms that read them: a log line for each scored job."""

import json
from collections.abc import Iterator, Sequence

from handler.outcome import MessageOutcome

NAMESPACE = "Plexus"
OF_SCORE = ("ScoreCardID", "ScoreCardName", "Score", "ScoreID", "Modality", "Environment")
OF_SCORECARD = ("ScoreCardName", "Environment")
METRICS = ("Cost", "PromptTokens", "CompletionTokens", "TotalTokens", "CachedTokens", "ExternalAIRequests")
_MODALITY = "API"  # of the original's worker; its evaluations have others


def format_lines(outcomes: Sequence[MessageOutcome], environment: str, wall: float) -> Iterator[str]:
    """Yield a line in CloudWatch's embedded metric format for each job that was scored.

    `environment` is the dimension of that name, and `wall` the time in Unix seconds. An unknown cost is left out.
    """
    for outcome in outcomes:
        stats = outcome.stats
        if stats is None or stats.names is None:
            continue
        names = stats.names
        dimensions = (names.scorecard_id, names.scorecard, names.score, names.score_id, _MODALITY, environment)
        tokens = (stats.input_tokens, stats.output_tokens, stats.input_tokens + stats.output_tokens)
        numbers = dict(zip(METRICS, (stats.cost, *tokens, stats.cached_tokens, stats.provider_calls), strict=True))
        if stats.is_unpriced:
            del numbers["Cost"]
        values = numbers | {f"{name}ByScorecard": number for name, number in numbers.items()}
        directives = [_directive(OF_SCORE, list(numbers)), _directive(OF_SCORECARD, list(values)[len(numbers) :])]
        metadata = {"Timestamp": int(wall * 1000), "CloudWatchMetrics": directives}
        yield json.dumps({"_aws": metadata, **dict(zip(OF_SCORE, dimensions, strict=True)), **values})


def _directive(dimensions: Sequence[str], metrics: Sequence[str]) -> dict[str, object]:
    listed = [{"Name": name, "Unit": "None"} for name in metrics]
    return {"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": listed}
