"""Costs summed up from log lines."""

import pytest

from scripts.costs import sum_up

REPORT = (
    "REPORT RequestId: 1f\tDuration: 999.5 ms\tBilled Duration: 1000 ms\tMemory Size: 2048 MB\tMax Memory Used: 70 MB"
)
METRICS = '{"_aws": {"Timestamp": 1}, "FunctionName": "f", "JobsCompleted": 10, "JobsRetried": 1, "Cost": 0.002}'


def test_a_thousand_jobs_cost_lambda_and_provider() -> None:
    """Lambda's price of two requests and 2 s of 2 GB, plus the worker's costs, is divided by the completed jobs."""
    result = sum_up([REPORT, METRICS, "START RequestId: 1f", REPORT], hours=1)
    assert (result.invocations, result.jobs, result.provider_usd) == (2, 10, 0.002)
    assert result.lambda_usd == pytest.approx(2 * (2 * 0.0000166667 + 0.0000002))
    assert result.per_thousand == pytest.approx(100 * (result.lambda_usd + 0.002))


def test_without_jobs_nothing_is_divided() -> None:
    """Without completed jobs there is no cost per thousand."""
    assert sum_up([REPORT], hours=1).per_thousand is None
