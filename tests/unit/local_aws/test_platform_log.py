"""The lines and errors around an invocation."""

import json
from datetime import UTC, datetime

import pytest

from local_aws import platform_log


def test_cold_report_reads_as_awss() -> None:
    """A cold start's report has its init duration and bills it."""
    output = platform_log.Report("id", 1.234, 256, 19, init_ms=126.19)
    assert str(output) == (
        "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 128 ms\tMemory Size: 256 MB\t"
        "Max Memory Used: 19 MB\tInit Duration: 126.19 ms\t"
    )


def test_whole_milliseconds_are_not_billed_up() -> None:
    """A duration of exactly two milliseconds is billed as two."""
    assert platform_log.Report("id", 2.0, 128, 1).billed_ms == 2


def test_peak_is_never_over_the_memory_size() -> None:
    """A peak that was measured over the limit is reported as the limit."""
    assert "Max Memory Used: 128 MB" in str(platform_log.Report("id", 1, 128, 300))


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (3, "exit status 3"),
        (0, "Runtime exited without providing a reason"),
        (-9, "signal: killed"),
        (137, "signal: killed"),
        (139, "signal: segmentation fault"),
    ],
)
def test_exit_is_told_by_status_or_signal(status: int, text: str) -> None:
    """An exit status and a signal, also through a namespace's first process, read as AWS writes them."""
    failure = platform_log.exit_failure(status, out_of_memory=False)
    assert failure.error_type == "Runtime.ExitError"
    assert failure.text.endswith(text)


def test_out_of_memory_has_a_type_of_its_own() -> None:
    """A kill by the memory limit is Runtime.OutOfMemory."""
    assert (
        json.loads(platform_log.exit_failure(-9, out_of_memory=True).body("id"))["errorType"] == "Runtime.OutOfMemory"
    )


def test_timeout_line_has_awss_form() -> None:
    """The line names time, request and seconds with two digits."""
    now = datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)
    assert platform_log.format_timeout("id", 3, now) == "2026-01-02T03:04:05.678Z id Task timed out after 3.00 seconds"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"errorType": "ValueError", "errorMessage": "no"}', ("ValueError", "no")),
        (b'{"errorType": "ValueError"}', ("ValueError", repr(b'{"errorType": "ValueError"}'))),
        (b'{"errorMessage": "no"}', ("Runtime.Unknown", repr(b'{"errorMessage": "no"}'))),
        (b"[1]", ("Runtime.Unknown", repr(b"[1]"))),
        (b"\xff", ("Runtime.Unknown", repr(b"\xff"))),
    ],
)
def test_any_error_payload_has_a_type_and_a_text(body: bytes, expected: tuple[str, str]) -> None:
    """A report that is no error object is quoted, whatever the runtime sent."""
    failure = platform_log.parse_failure(body)
    assert (failure.error_type, failure.text) == expected
