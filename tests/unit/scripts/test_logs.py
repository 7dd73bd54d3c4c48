"""Log lines as people read them."""

import json

import pytest

from scripts import _logs


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
