"""Log lines as people read them."""

import json

import pytest

from scripts import _logs
from scripts.logs import parse_since


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
    """The ids of a request, which are the longest, stand at the end; of metrics only the values are shown."""
    assert _logs.render(json.dumps(line)) == shown


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("[ERROR] Runtime.ExitError", "ERROR"),
        ('{"level": "warning"}', "WARNING"),
        ("REPORT RequestId: 1", ""),
        ('{"level"', ""),
        ('{"a":' * 100_000, ""),
    ],
    ids=["a crash", "ours", "the runtime's", "cut", "nested"],
)
def test_a_line_has_a_level_or_none(line: str, level: str) -> None:
    """What Lambda's runtime says of a crash is an error; what cannot be read has none."""
    assert _logs.level_of(line) == level


def test_a_line_that_cannot_be_read_is_shown_as_it_is() -> None:
    """JSON that is nested more deeply than Python reads is text like any other."""
    line = '{"a":' * 100_000
    assert _logs.render(line) == line


@pytest.mark.parametrize(
    ("since", "start_ms"), [("10m", 400_000), ("2h", 0), ("999999999999d", 0), ("1969-01-01T00:00+00:00", 0)]
)
def test_a_time_before_all_logs_is_their_beginning(since: str, start_ms: int) -> None:
    """However far back was asked for, the start is one that AWS takes."""
    assert parse_since(since, 1000.0) == start_ms
