"""Formatted log lines."""

import json

import pytest

from local_aws import log_patterns
from scripts.aws import health, logs
from scripts.console.options import parse_since
from scripts.dashboard import journal


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            {"level": "INFO", "message": "committed", "aws_request_id": "r", "message_id": "m", "scoring_job_id": "j"},
            "INFO    committed scoring_job_id=j aws_request_id=r message_id=m",
        ),
        (
            {"_aws": {"CloudWatchMetrics": [{"Namespace": "N"}]}, "FunctionName": "f", "JobsCompleted": 1},
            "METRICS FunctionName=f JobsCompleted=1",
        ),
        ({"level": "error", "message": "no result", "error": "a b"}, 'ERROR   no result error="a b"'),
    ],
    ids=["ids", "metrics", "words"],
)
def test_what_tells_most_comes_first(line: dict[str, object], shown: str) -> None:
    """Request ids, the longest values, come last; a metrics line has only its values."""
    assert logs.render(json.dumps(line)) == shown


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("[ERROR] Runtime.ExitError", "ERROR"),
        ('{"level": "warning"}', "WARNING"),
        ("REPORT RequestId: 1", ""),
        ("INIT_REPORT Init Duration: 10008.52 ms\tPhase: init\tStatus: timeout", "WARNING"),
        ('{"level"', ""),
        ('{"a":' * 100_000, ""),
    ],
    ids=["a crash", "ours", "the runtime's", "a slow init", "cut", "nested"],
)
def test_a_line_has_a_level_or_none(line: str, level: str) -> None:
    """A crash reported by Lambda's runtime has level ERROR; a line that is not JSON has none."""
    assert logs.find_level(line) == level


def test_a_line_that_cannot_be_read_is_shown_as_it_is() -> None:
    """JSON nested too deeply to parse is printed unchanged."""
    line = '{"a":' * 100_000
    assert logs.render(line) == line


@pytest.mark.parametrize(
    "line",
    [
        # As Lambda and its runtime clients write them.
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'function'",
        "RequestId: 4e1c Error: Runtime exited with error: exit status 3",
        "RequestId: 4e1c Process exited before completing request",
        "2026-11-29T17:00:00.000Z 4e1c Task timed out after 3.00 seconds",
        "REPORT RequestId: 4e1c\tDuration: 9.12 ms\tStatus: error\tError Type: Runtime.ExitError",
        "INIT_REPORT Init Duration: 9999.81 ms\tPhase: init\tStatus: timeout",
        "INIT_REPORT Init Duration: 9999.81 ms\tPhase: invoke\tStatus: timeout",
    ],
)
@pytest.mark.parametrize("pattern", [health.PATTERN, journal.PATTERN], ids=["doctor and canary", "dashboard"])
def test_no_failure_is_left_out_by_a_filter_pattern(pattern: str, line: str) -> None:
    """The filter for CloudWatch Logs passes every line that the command counts as a failure."""
    assert logs.find_platform_failure(line) or logs.find_init_failure(line)
    assert log_patterns.compile_pattern(pattern)(line)


@pytest.mark.parametrize(
    ("since", "start_ms"), [("10m", 400_000), ("2h", 0), ("999999999999d", 0), ("1969-01-01T00:00+00:00", 0)]
)
def test_a_time_before_all_logs_is_their_beginning(since: str, start_ms: int) -> None:
    """A start before 1970 becomes 0, which AWS accepts."""
    assert parse_since(since, 1000.0) == start_ms
