"""The description of a failed smoke test, and of a poll that found no job."""

import json

import pytest

from scripts.aws.lambda_function import describe_failure
from scripts.invoke import is_idle

TRACE = ['  File "/var/task/handler/app.py", line 3, in lambda_handler\n']
PAYLOAD = json.dumps({"errorMessage": "'JOBS'", "errorType": "KeyError", "requestId": "r", "stackTrace": TRACE})
LOG = f"START RequestId: r\n[ERROR] KeyError: 'JOBS'\rTraceback (most recent call last):\r{TRACE[0]}END RequestId: r"


@pytest.mark.parametrize("log", [LOG, "START RequestId: r\nEND RequestId: r", ""], ids=["log", "no trace", "no log"])
def test_a_failed_call_begins_with_its_cause_and_has_one_traceback(log: str) -> None:
    """The first line is the exception; the traceback is the log's, or the response's if the log has none."""
    text = describe_failure(PAYLOAD, log)
    assert text.splitlines()[0] == "KeyError: 'JOBS'"
    assert text.count("line 3, in lambda_handler") == 1
    assert "stackTrace" not in text


@pytest.mark.parametrize("payload", ['{"statusCode": 500, "body": "no table"}', "null", "[1]", "not JSON"])
def test_another_answer_is_quoted_as_it_is(payload: str) -> None:
    """An answer that is no exception is the first line, and the log follows."""
    assert describe_failure(payload, "a line") == f"{payload}\na line"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"statusCode": 200, "body": '{"message": "no messages in the queue", "processed": false}'}, True),
        ({"statusCode": 200, "body": '{"message": "completed", "processed": true}'}, False),
        ({"batchItemFailures": []}, False),
        ("text", False),
        (None, False),
    ],
)
def test_a_poll_without_a_job_is_recognized(payload: object, expected: bool) -> None:
    """Only the worker's answer to an empty queue counts as one."""
    assert is_idle(payload) is expected
