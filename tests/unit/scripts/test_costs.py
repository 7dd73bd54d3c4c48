"""What invocations cost, from log lines."""

import pytest

from scripts.costs import count

REPORT = (
    "REPORT RequestId: 1f\tDuration: 999.5 ms\tBilled Duration: 1000 ms\tMemory Size: 2048 MB\tMax Memory Used: 70 MB"
)
METRICS = '{"_aws": {"Timestamp": 1}, "FunctionName": "f", "JobsCompleted": 10, "JobsRetried": 1, "Cost": 0.002}'


def test_a_thousand_jobs_cost_lambda_and_provider() -> None:
    """Two seconds of 2 GB and two requests, and what the worker counted, are divided by the completed jobs."""
    found = count([REPORT, METRICS, "START RequestId: 1f", REPORT], hours=1)
    assert (found.invocations, found.jobs, found.provider_usd) == (2, 10, 0.002)
    assert found.lambda_usd == pytest.approx(2 * (2 * 0.0000166667 + 0.0000002))
    assert found.per_thousand == pytest.approx(100 * (found.lambda_usd + 0.002))


def test_without_jobs_nothing_is_divided() -> None:
    """A time in which no job was completed has no price for a thousand."""
    assert count([REPORT], hours=1).per_thousand is None
