"""The demo's checks, and its exit code."""

from typing import Any

import pytest

from scripts.demo.report_page import DeadLetter, Report
from scripts.demo.scenario import POISON, list_checks

JOBS = ("job-1", "job-2")
RECORDS: dict[str, list[dict[str, Any]]] = {
    "ScoringJob": [{"id": job, "status": "COMPLETED"} for job in JOBS],
    "ScoreResult": [{"id": f"result-{job}", "scoringJobId": job} for job in JOBS],
    "Outbox": [],
}
RESPONSES = tuple(f"result-{job}" for job in JOBS)
LETTERS = (DeadLetter(POISON, "InvalidMessage"),)
WRONG: dict[str, dict[str, Any]] = {
    "every job is COMPLETED": {"ScoringJob": [*RECORDS["ScoringJob"][1:], {"id": "job-1", "status": "FAILED"}]},
    "every job has exactly one ScoreResult": {"ScoreResult": [*RECORDS["ScoreResult"], RECORDS["ScoreResult"][0]]},
    "the responses name every result": {"responses": RESPONSES[1:]},
    "the poison message is the only dead letter": {"letters": (*LETTERS, DeadLetter("other", "reason"))},
    "the request queue is empty": {"waiting": 1},
    "the outbox is empty": {"Outbox": [{"id": "entry"}]},
}


def report(**changes: Any) -> Report:
    """Return a report with the checks of a scenario that went as planned, but for `changes`."""
    records = {table: changes.get(table, rows) for table, rows in RECORDS.items()}
    responses, letters = changes.get("responses", RESPONSES), changes.get("letters", LETTERS)
    checks = list_checks(JOBS, records, responses, letters, changes.get("waiting", 0))
    return Report("sha256:" + "a" * 64, "unknown", 1, 1, (), "plain", checks=checks)


def test_a_demo_whose_checks_hold_succeeds() -> None:
    """The exit code is 0 if every check holds."""
    assert report().exit_code == 0


@pytest.mark.parametrize("rule", WRONG)
def test_a_demo_with_a_failed_check_fails(rule: str) -> None:
    """Each check can fail alone, and the exit code is then 1."""
    result = report(**WRONG[rule])
    assert [check.rule.startswith(rule) for check in result.checks if not check.is_met] == [True]
    assert result.exit_code == 1
