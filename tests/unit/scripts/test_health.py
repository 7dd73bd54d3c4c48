"""Failures by the lines that Lambda itself writes, as AWS documents them."""

import json

import pytest

from scripts.aws import health, logs
from scripts.aws.logs import Event
from scripts.dashboard import latency, lines

REQUEST = "8286a188-ba32-4475-8077-530cd35c09a9"
MEMORY = "Memory Size: 128 MB\tMax Memory Used: 30 MB"
REPORT = f"REPORT RequestId: {REQUEST}\tDuration: 3.00 ms\tBilled Duration: 3 ms\t{MEMORY}"
ENDINGS = {
    "returns": ([REPORT], ""),
    "times out, as REPORT has said since 2024": (
        [f"2026-11-29T04:49:00.123Z {REQUEST} Task timed out after 3.00 seconds", f"{REPORT}\tStatus: timeout\t"],
        "Task timed out after 3.00 seconds",
    ),
    "times out, as REPORT said before": (
        [f"2026-11-29T04:49:00.123Z {REQUEST} Task timed out after 3.00 seconds", REPORT],
        "Task timed out after 3.00 seconds",
    ),
    "exits": (
        [
            f"RequestId: {REQUEST} Error: Runtime exited with error: exit status 3",
            "Runtime.ExitError",
            f"{REPORT}\tStatus: error\tError Type: Runtime.ExitError\t",
        ],
        "Runtime exited with error: exit status 3",
    ),
    "runs out of memory": (
        [
            f"RequestId: {REQUEST} Error: Runtime exited with error: signal: killed",
            f"{REPORT}\tStatus: error\tError Type: Runtime.OutOfMemory\t",
        ],
        "Runtime.OutOfMemory",
    ),
    "raises": (
        ["[ERROR] RuntimeError: boom\rTraceback (most recent call last):\r  File …", REPORT],
        "RuntimeError: boom",
    ),
    "cannot be imported": (
        [
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': boom\rTraceback …",
            "INIT_REPORT Init Duration: 90.00 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError",
            f"{REPORT}\tStatus: error\tError Type: Runtime.ImportModuleError\t",
        ],
        "Runtime.ImportModuleError: Unable to import module 'app': boom",
    ),
}
SLOW_INIT = "INIT_REPORT Init Duration: 10008.52 ms\tPhase: init\tStatus: timeout"
BROKEN_INIT = "INIT_REPORT Init Duration: 90.00 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"
REPEATED = {
    "a slow init, then a result": ([SLOW_INIT, REPORT], "", True),
    "a slow init, then an exception": ([SLOW_INIT, "[ERROR] KeyError: 'a'", REPORT], "KeyError: 'a'", True),
    "a slow init, then a timeout": (
        [SLOW_INIT, *ENDINGS["times out, as REPORT has said since 2024"][0]],
        "Task timed out after 3.00 seconds",
        True,
    ),
    "a broken init, then a result": ([BROKEN_INIT, REPORT], "", False),
    "a broken init, then an exception": ([BROKEN_INIT, "[ERROR] KeyError: 'a'", REPORT], "KeyError: 'a'", False),
    "a broken init twice": ([BROKEN_INIT, f"{REPORT}\tStatus: error"], "Runtime.ExitError", False),
}


def events(messages: list[str], stream: str = "2026/11/29/[17]aa") -> list[Event]:
    """Return events of one stream, a millisecond apart."""
    return [Event(str(number), number, stream, message) for number, message in enumerate(messages)]


@pytest.mark.parametrize("name", ENDINGS)
def test_each_way_to_fail_is_one_failed_call(name: str) -> None:
    """However many lines a failed invocation writes, it is one failed call, with the most specific reason."""
    messages, reason = ENDINGS[name]
    (version, result), *others = health.group_by_version(events(messages * 4)).items()
    assert (version, others, len(result.calls)) == ("17", [], 4)
    assert [call.failure for call in result.calls] == [reason] * 4
    assert [line for line in messages if logs.find_level(line) == "ERROR"] == [
        line for line in messages if reason and line not in (REPORT, "Runtime.ExitError")
    ]


@pytest.mark.parametrize("name", ENDINGS)
def test_the_dashboard_counts_what_the_doctor_counts(name: str) -> None:
    """Four failed invocations are four errors on the dashboard, and four of four calls of their version."""
    messages, reason = ENDINGS[name]
    known = [lines.parse(one.message, one.timestamp, one.stream) for one in events(messages * 4)]
    item = latency.group_troubles([line for line in known if line], 0)
    (served,) = item.versions
    failed = 4 if reason else 0
    assert (item.errors, served.version, served.calls, served.failed) == (failed, "17", 4, failed)
    assert served.is_broken == bool(reason)


@pytest.mark.parametrize("name", REPEATED)
def test_an_init_phase_that_its_call_repeats_fails_no_call(name: str) -> None:
    """A call that repeated a failed init phase has failed only if its own lines say so, here and on the dashboard."""
    messages, reason, was_slow = REPEATED[name]
    result = health.group_by_version(events(messages * 2))["17"]
    assert [(call.failure, call.repeated_init) for call in result.calls] == [(reason, was_slow)] * 2
    known = [lines.parse(one.message, one.timestamp, one.stream) for one in events(messages * 2)]
    assert [failure for _, failure in latency.list_invocations(line for line in known if line)] == [reason] * 2


def test_versions_and_environments_are_kept_apart() -> None:
    """Interleaved lines of several environments count for their own invocation, and each stream for its version."""
    crash = "[ERROR] RuntimeError: boom"
    first, second = "2026/11/29/[17]aa", "2026/11/29/[18]bb"
    rows = [(first, crash), (second, REPORT), (first, REPORT), (second, REPORT)]
    item = health.group_by_version(Event(str(n), n, stream, text) for n, (stream, text) in enumerate(rows))
    assert {version: (len(one.calls), len(one.failed)) for version, one in item.items()} == {
        "17": (1, 1),
        "18": (2, 0),
    }


def test_jobs_are_counted_by_the_workers_lines() -> None:
    """Completed jobs come from the metrics line, jobs without a result from lines of level ERROR."""
    done = json.dumps({"_aws": {}, "JobsCompleted": 3, "JobsDuplicate": 1, "JobsFailed": 2})
    failed = json.dumps({"level": "ERROR", "message": "no result"})
    result = health.group_by_version(events([failed, done, failed, REPORT]))["17"]
    assert (result.completed, len(result.errors), len(result.failed)) == (4, 2, 0)
