"""`logs` on a real log group: every matching line once."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from local_aws.instance import Instance
from scripts import logs
from scripts.aws.clients import Aws
from scripts.aws.logs import OVERLAP_MS, Follower
from scripts.aws.stage import load_stage


class Writer:
    """Writes events into streams of the stage's log group."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.group, self.client = aws.stage.log_group, aws.client("logs")
        self.client.create_log_group(logGroupName=self.group)

    def stream(self, name: str) -> None:
        """Create a stream."""
        self.client.create_log_stream(logGroupName=self.group, logStreamName=name)

    def write(self, stream: str, text: str, age_ms: int = 0) -> None:
        """Write an event of this age."""
        event: Any = {"timestamp": int(time.time() * 1000) - age_ms, "message": text}
        self.client.put_log_events(logGroupName=self.group, logStreamName=stream, logEvents=[event])


@pytest.fixture
def writer(local_aws: Instance) -> Iterator[Writer]:
    """Yield a writer of the function's log group, which is deleted afterwards."""
    created = Writer(Aws(load_stage("local"), local_aws.endpoint))
    yield created
    created.client.delete_log_group(logGroupName=created.group)


def test_a_follower_gives_each_line_once(writer: Writer) -> None:
    """Equal lines, new streams and late events are each returned exactly once."""
    follower = Follower(writer.aws, int(time.time() * 1000) - 60_000)
    writer.stream("a")
    writer.stream("b")
    results: list[str] = []
    for turn in range(5):
        writer.write("a", f"a{turn}")
        writer.write("b", "the same")
        writer.write("b", f"late {turn}", age_ms=OVERLAP_MS - 2000)
        results += [event.message for event in follower.read()]
        if turn == 2:
            writer.stream("c")
            writer.write("c", "new")
        results += [event.message for event in follower.read()]
    wanted = [f"a{turn}" for turn in range(5)] + ["the same"] * 5 + [f"late {turn}" for turn in range(5)] + ["new"]
    assert sorted(results) == sorted(wanted)


def print_logs(writer: Writer, *options: str) -> list[str]:
    """Return the messages that `logs --json` prints."""
    arguments = ["--no-follow", "--json", "--endpoint-url", str(writer.aws.endpoint), *options]
    done = CliRunner().invoke(logs.main, arguments)
    assert done.exit_code == 0, done.output
    return [json.loads(line)["message"] for line in done.stdout.splitlines()]


def test_only_the_lines_that_were_asked_for_are_shown(writer: Writer) -> None:
    """Lines are filtered by level, job, text and time; a crash has the level ERROR."""
    writer.stream("a")
    info = json.dumps({"level": "INFO", "message": "committed", "scoring_job_id": "job-1"})
    error = json.dumps({"level": "ERROR", "message": "no result", "scoring_job_id": "job-2"})
    crash = "[ERROR] Runtime.ImportModuleError: Unable to import module 'handler.app'"
    for text, age_ms in ((info, 0), (error, 0), (crash, 0), ("REPORT RequestId: 1", 0), ("old", 3_600_000)):
        writer.write("a", text, age_ms)
    assert set(print_logs(writer, "--level", "error")) == {error, crash}
    assert print_logs(writer, "--job", "job-1") == [info]
    assert print_logs(writer, "--grep", "NO RESULT") == [error]
    assert set(print_logs(writer)) == {info, error, crash, "REPORT RequestId: 1"}
    assert "old" in print_logs(writer, "--since", "2h")


def test_no_line_says_how_far_back_it_looked(writer: Writer) -> None:
    """Without matching lines a note on standard error suggests a longer period."""
    arguments = ["--no-follow", "--since", "5m", "--endpoint-url", str(writer.aws.endpoint)]
    done = CliRunner().invoke(logs.main, arguments)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no matching lines since 5m" in done.stderr


def test_without_a_log_group_the_next_step_is_told(local_aws: Instance) -> None:
    """Without a log group the error has the command that creates it."""
    done = CliRunner().invoke(logs.main, ["--no-follow", "--endpoint-url", local_aws.endpoint])
    assert done.exit_code == 1
    assert "the first invocation creates it: make invoke" in done.output


def test_ctrl_c_ends_a_followed_log_quietly(writer: Writer) -> None:
    """The first line says how to end it; after Ctrl-C the exit code is 0, and nothing reads like a failure."""
    writer.stream("a")
    writer.write("a", "a line")
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts", "logs", "--endpoint-url", str(writer.aws.endpoint)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    assert "a line" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    (first,) = errors.splitlines()
    assert first == f"following {writer.group}: lines since 10m, then new ones as they arrive; Ctrl-C ends it"
    assert process.returncode == 0
