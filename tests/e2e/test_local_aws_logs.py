"""Logs of functions in CloudWatch Logs."""

import re
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from local_aws.instance import Instance
from local_aws.status import ask
from tests.e2e.conftest import Clients, Function, refusal, wait_for

Make = Callable[..., Function]


def messages(aws: Clients, function: str) -> list[str]:
    """Return all messages of a function's log group, oldest first."""
    logs = aws("logs")
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def messages_with(aws: Clients, function: str, text: str) -> list[str]:
    """Return the messages that hold a text, once there are any."""
    result: list[str] = wait_for(
        lambda: [message for message in messages(aws, function) if text in message], f"{text!r} in the log"
    )
    return result


def test_every_line_is_there_once_in_order(make_function: Make, aws: Clients) -> None:
    """START, the function's lines, END and REPORT stand in the log once each, in this order."""
    function = make_function()
    function.invoke()
    function.invoke({"print": "one line"})
    reports = wait_for(lambda: [line for line in messages(aws, function.name) if line.startswith("REPORT")][1:], "it")
    assert len(reports) == 1
    lines = [line.split()[0] for line in messages(aws, function.name)]
    assert lines == ["init", "START", "END", "REPORT", "START", "one", "END", "REPORT"]


def test_lines_arrive_while_the_function_runs(make_function: Make, aws: Clients, local_aws: Instance) -> None:
    """A line can be read in CloudWatch Logs before the invocation that wrote it ends, which a kill does then."""
    function = make_function(Timeout=150)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(function.invoke, {"spin": 140})
        messages_with(aws, function.name, "spin 3")
        assert len(ask(local_aws, "/_local_aws/environments/kill", {"function": function.name})) == 1
        assert pending.result().error == "Unhandled"


def test_long_line_is_cut_at_the_event_limit(make_function: Make, aws: Clients) -> None:
    """A line over 256 KiB becomes several events, none of which is longer."""
    function = make_function()
    function.invoke({"flood": 600_000})
    parts = wait_for(
        lambda: (
            [line for line in messages(aws, function.name) if line.startswith("xxx")][2:]
            and [line for line in messages(aws, function.name) if line.startswith("xxx")]
        ),
        "the long line",
    )
    assert sum(len(part.rstrip("\n")) for part in parts) == 600_000
    assert max(len(part.encode()) for part in parts) <= 256 * 1024


def streams(aws: Clients, function: str) -> list[str]:
    """Return the names of a function's streams."""
    try:
        output = aws("logs").describe_log_streams(logGroupName=f"/aws/lambda/{function}")
    except aws("logs").exceptions.ResourceNotFoundException:
        return []
    return [stream["logStreamName"] for stream in output["logStreams"]]


def test_each_environment_has_a_stream_of_its_own(make_function: Make, aws: Clients) -> None:
    """Two environments, which two invocations at once need, write to two streams, named by day and version."""
    function = make_function(Timeout=20)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(function.invoke, [{"sleep": 8}, {"sleep": 8}]))
    wait_for(lambda: len(streams(aws, function.name)) >= 2, "two streams")
    names = streams(aws, function.name)
    assert len(names) == 2
    assert all(re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", name) for name in names)


def test_a_filter_pattern_chooses_messages(aws: Clients) -> None:
    """A phrase and alternatives choose messages, and a pattern that is not evaluated is refused."""
    logs, group = aws("logs"), f"patterns-{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    lines = ("Task timed out after 3.00 seconds", "out timed", '{"level": "ERROR", "ms": 5}')
    events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)

    def chosen(pattern: str) -> list[int]:
        result = logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
        return [lines.index(event["message"]) for event in result]

    assert (chosen('"timed out"'), chosen("?Task ?ERROR"), chosen("{ $.ms = 5 }")) == ([0], [0, 2], [2])
    answer = refusal(logs.filter_log_events, logGroupName=group, filterPattern="[first, second]")
    assert answer.startswith("InvalidParameterException: filter pattern")
