"""`make logs` on a real log group: every line once, whatever its stream, and only the lines that were asked for."""

import json
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from local_aws.instance import Instance
from scripts import logs
from scripts._aws import Aws, load_stage
from scripts._logs import OVERLAP_MS, Follower


class Writer:
    """Writes lines into streams of the stage's log group."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.group, self.client = aws.stage.log_group, aws.client("logs")
        self.client.create_log_group(logGroupName=self.group)

    def stream(self, name: str) -> None:
        """A new stream."""
        self.client.create_log_stream(logGroupName=self.group, logStreamName=name)

    def write(self, stream: str, text: str, age_ms: int = 0) -> None:
        """One line that says that it is so old."""
        event = {"timestamp": int(time.time() * 1000) - age_ms, "message": text}
        self.client.put_log_events(logGroupName=self.group, logStreamName=stream, logEvents=[event])


@pytest.fixture
def writer(local_aws: Instance) -> Iterator[Writer]:
    """A log group of the stage's function, gone after the test."""
    made = Writer(Aws(load_stage("local"), local_aws.endpoint))
    yield made
    made.client.delete_log_group(logGroupName=made.group)


def test_a_follower_gives_each_line_once(writer: Writer) -> None:
    """Lines of several streams and of equal text, a new stream, lines that arrive late: none lost, none twice."""
    follower = Follower(writer.aws, int(time.time() * 1000) - 60_000)
    writer.stream("a")
    writer.stream("b")
    found: list[str] = []
    for turn in range(5):
        writer.write("a", f"a{turn}")
        writer.write("b", "the same")
        writer.write("b", f"late {turn}", age_ms=OVERLAP_MS - 2000)
        found += [event.message for event in follower.read()]
        if turn == 2:
            writer.stream("c")
            writer.write("c", "new")
        found += [event.message for event in follower.read()]
    wanted = [f"a{turn}" for turn in range(5)] + ["the same"] * 5 + [f"late {turn}" for turn in range(5)] + ["new"]
    assert sorted(found) == sorted(wanted)


def shown(writer: Writer, *options: str) -> list[str]:
    """The messages that the command prints as JSON lines."""
    given = ["--no-follow", "--json", "--endpoint-url", str(writer.aws.endpoint), *options]
    done = CliRunner().invoke(logs.main, given)
    assert done.exit_code == 0, done.output
    return [json.loads(line)["message"] for line in done.stdout.splitlines()]


def test_only_the_lines_that_were_asked_for_are_shown(writer: Writer) -> None:
    """By level, by job, by text, since a time; a crash is an error, and no other line without a level passes one."""
    writer.stream("a")
    info = json.dumps({"level": "INFO", "message": "committed", "scoring_job_id": "job-1"})
    error = json.dumps({"level": "ERROR", "message": "no result", "scoring_job_id": "job-2"})
    crash = "[ERROR] Runtime.ImportModuleError: Unable to import module 'handler.app'"
    for text, age_ms in ((info, 0), (error, 0), (crash, 0), ("REPORT RequestId: 1", 0), ("old", 3_600_000)):
        writer.write("a", text, age_ms)
    assert set(shown(writer, "--level", "error")) == {error, crash}
    assert shown(writer, "--job", "job-1") == [info]
    assert shown(writer, "--grep", "NO RESULT") == [error]
    assert set(shown(writer)) == {info, error, crash, "REPORT RequestId: 1"}
    assert "old" in shown(writer, "--since", "2h")


def test_no_line_says_how_far_back_it_looked(writer: Writer) -> None:
    """Nothing on standard output is not silence."""
    given = ["--no-follow", "--since", "5m", "--endpoint-url", str(writer.aws.endpoint)]
    done = CliRunner().invoke(logs.main, given)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no such line since 5m" in done.stderr


def test_without_a_log_group_the_next_step_is_told(local_aws: Instance) -> None:
    """Exit 1, and which command makes the first line appear."""
    done = CliRunner().invoke(logs.main, ["--no-follow", "--endpoint-url", local_aws.endpoint])
    assert done.exit_code == 1
    assert "it appears with the first invocation: make invoke" in done.output
