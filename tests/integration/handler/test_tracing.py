"""X-Ray: log lines have the trace's id, and the steps of a sampled trace are reported to the daemon by UDP."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from handler import subsegments, tracing_header
from handler.app import lambda_handler
from handler.tracing_header import TracingHeader
from plexus.exceptions import ScoringFailed
from tests.memory.sqs import event
from tests.memory.world import Context, World, scoring

ROOT, PARENT = "1-5f84c7a1-0123456789abcdef01234567", "53995c3f42cd8ad8"
SENDER = "1-5f84c7a0-89abcdef0123456789abcdef"
SAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=1"
SECRET = "sk-of-a-provider-0123456789"
TEXT = "My refund, please: card 4111 1111 1111 1111."
HEADERS: list[tuple[object, TracingHeader | None]] = [
    (SAMPLED, TracingHeader(ROOT, PARENT, True)),
    (f"Self=1-x; Sampled=1 ; Parent={PARENT} ; Root={ROOT};Lineage=a:1|b:0", TracingHeader(ROOT, PARENT, True)),
    (f"Root={ROOT};Parent={PARENT};Sampled=0", TracingHeader(ROOT, PARENT)),
    (f"Root={ROOT};Parent={PARENT};Sampled=?", TracingHeader(ROOT, PARENT)),
    (f"Root={ROOT}", TracingHeader(ROOT)),
    (f"Root={ROOT};Parent=nothing;Sampled=1", TracingHeader(ROOT, None, True)),
    (ROOT, None),
    (f"Root={ROOT}0;Sampled=1", None),
    (f"Root={ROOT}\nfake", None),
    (f"Root=2{ROOT[1:]}", None),
    (f"Parent={PARENT};Sampled=1", None),
    (";;==;", None),
    ("", None),
    (None, None),
    (7, None),
]


class Daemon:
    """A real UDP socket in place of the daemon."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.datagrams: list[bytes] = []

    def read(self) -> list[dict[str, Any]]:
        """Return all datagrams; on the loopback interface they arrive when they are sent."""
        self.socket.setblocking(False)
        while True:
            try:
                self.datagrams.append(self.socket.recv(65_536))
            except BlockingIOError:
                break
        parts = [datagram.split(b"\n", 1) for datagram in self.datagrams]
        assert all(json.loads(head) == {"format": "json", "version": 1} for head, _ in parts)
        return [json.loads(body) for _, body in parts]


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """The daemon of an invocation whose trace is sampled."""
    created = Daemon()
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", created.address)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    yield created
    created.socket.close()


@pytest.mark.parametrize(("header", "read"), HEADERS)
def test_a_header_names_its_trace_or_is_ignored(header: object, read: TracingHeader | None) -> None:
    """Fields may be in any order, with unknown ones among them; without a valid root there is no trace."""
    assert tracing_header.parse(header) == read


def test_each_step_of_a_job_is_a_subsegment(world: World, daemon: Daemon) -> None:
    """A sampled invocation reports each step once, in order, below Lambda's own segment."""
    world.send_jobs(world.job())
    world.batch(world.runtime())
    reported = daemon.read()
    assert [step["name"] for step in reported] == ["claim", "read", "score", "commit", "respond", "mark"]
    assert {(step["type"], step["trace_id"], step["parent_id"]) for step in reported} == {("subsegment", ROOT, PARENT)}
    assert len({step["id"] for step in reported}) == len(reported)
    assert all(len(bytes.fromhex(step["id"])) == 8 for step in reported)
    assert all(0 <= step["end_time"] - step["start_time"] < 60 for step in reported)
    assert all(step["start_time"] == world.time for step in reported)
    assert not any("fault" in step for step in reported)


def test_subsegments_of_a_batch_name_their_jobs(world: World, daemon: Daemon) -> None:
    """Claims and scores have the id of their job; shared steps have the number of jobs, and all commits that of ten."""
    world.send_jobs(*(world.job(number) for number in range(10)))
    world.batch(world.runtime())
    reported = daemon.read()
    jobs = [f"job-{number}" for number in range(10)]
    for name in ("claim", "score"):
        assert sorted(step["annotations"]["scoring_job_id"] for step in reported if step["name"] == name) == jobs
    shared = [step["annotations"] for step in reported if step["name"] in ("read", "respond", "mark")]
    assert shared == [{"jobs": 10}] * 3
    commits = [step["annotations"] for step in reported if step["name"] == "commit"]
    assert sum(1 if "scoring_job_id" in each else each["jobs"] for each in commits) == 10


def test_a_failed_step_has_the_class_of_its_error_only(world: World, daemon: Daemon) -> None:
    """No text of an error, an item, a message or the environment is sent to the daemon."""

    def fail(item: Any, context: Any) -> Any:
        raise ScoringFailed(f"cannot read {item.text} with {SECRET}")

    world.send_jobs(world.job(text=TEXT))
    world.batch(world.runtime(score=scoring(fail)))
    failed = [step for step in daemon.read() if step.get("fault")]
    assert [(step["name"], step["annotations"]["error"]) for step in failed] == [("score", "ScoringFailed")]
    sent = b"".join(daemon.datagrams).decode()
    assert not [word for word in (TEXT, "4111", SECRET, "cannot read", "refund", "handle-") if word in sent]


def test_the_trace_of_a_completed_job_has_no_text(world: World, daemon: Daemon) -> None:
    """The trace of a completed job has no text, value or explanation."""
    world.send_jobs(world.job(text=TEXT))
    world.batch(world.runtime())
    reported = daemon.read()
    known = {"type", "id", "trace_id", "parent_id", "name", "start_time", "end_time", "annotations"}
    assert {key for step in reported for key in step} == known
    assert {key for step in reported for key in step["annotations"]} == {"scoring_job_id", "jobs"}


@pytest.mark.parametrize(
    "header", [f"Root={ROOT};Parent={PARENT};Sampled=0", f"Root={ROOT};Sampled=1", "nonsense", None]
)
def test_nothing_is_sent_unless_the_trace_is_sampled(
    world: World, daemon: Daemon, monkeypatch: pytest.MonkeyPatch, header: str | None
) -> None:
    """If the trace is not sampled, has no parent, or is malformed or missing, the job is completed without it."""
    if header is None:
        monkeypatch.delenv("_X_AMZN_TRACE_ID")
    else:
        monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    world.send_jobs(world.job())
    assert world.batch(world.runtime()) == []
    assert daemon.read() == []
    assert world.status("job-1") == "COMPLETED"


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "host:2000", ":2000", "1:٣"])
def test_only_an_ipv4_address_with_a_port_is_a_daemon(address: str) -> None:
    """An address that would need name resolution, or has no valid port, is ignored."""
    assert subsegments.find_daemon({"AWS_XRAY_DAEMON_ADDRESS": address}) is None


def test_a_missing_daemon_fails_no_job(world: World, daemon: Daemon) -> None:
    """If the daemon does not listen any more, every job is completed all the same."""
    daemon.socket.close()
    world.send_jobs(world.job(1), world.job(2))
    assert world.batch(world.runtime()) == []
    assert {world.status("job-1"), world.status("job-2")} == {"COMPLETED"}


def test_every_line_has_the_trace_id_of_its_invocation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line, including metrics, has the trace id of its own invocation."""
    runtime, traces = world.runtime(), (ROOT, SENDER, None)
    for number, trace in enumerate(traces):
        if trace:
            monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={trace};Parent={PARENT};Sampled=0")
        else:
            monkeypatch.delenv("_X_AMZN_TRACE_ID")
        before = len(world.lines())
        world.send_jobs(world.job(number))
        world.batch(runtime)
        lines = world.lines()[before:]
        assert len(lines) == 2
        assert {line.get("trace_id") for line in lines} == {trace}


def test_a_failed_invocation_logs_its_trace_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If not even the settings can be read, the only line of the log has the trace id."""
    monkeypatch.setattr("handler.app._runtime", None)
    monkeypatch.setattr("os.environ", {"_X_AMZN_TRACE_ID": SAMPLED})
    lambda_handler({}, Context())
    assert json.loads(capsys.readouterr().out)["trace_id"] == ROOT


@pytest.mark.parametrize("polled", [True, False])
def test_the_lines_of_a_job_have_its_senders_trace_id(world: World, polled: bool) -> None:
    """A message that was sent within a trace leads back to it, from a batch and from a manual poll."""
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": f"Root={SENDER};Parent={PARENT};Sampled=1"}}
    body = json.dumps({"scoring_job_id": world.job()})
    world.sqs.call(
        "SendMessage", {"QueueUrl": world.requests.url, "MessageBody": body, "MessageSystemAttributes": header}
    )
    if polled:
        world.invoke(world.runtime())
    else:
        world.batch(world.runtime())
    (line,) = [line for line in world.lines() if line.get("message") == "committed"]
    assert line["sender_trace_id"] == SENDER


def test_a_malformed_tracing_header_stops_no_job(world: World) -> None:
    """Whatever a sender wrote to the attribute, the job is completed, and the log does not quote it."""
    world.send_jobs(*(world.job(number) for number, _ in enumerate(HEADERS)))
    runtime, messages = world.runtime(), world.sqs.receive(world.requests, len(HEADERS))
    batch = event(world.requests, messages)
    for record, (header, _) in zip(batch["Records"], HEADERS, strict=True):
        record["attributes"]["AWSTraceHeader"] = header
    assert runtime.handle(batch, Context()) == {"batchItemFailures": []}
    named = [line.get("sender_trace_id") for line in world.lines() if line.get("message") == "committed"]
    assert sorted(map(str, named)) == sorted(str(read.trace_id if read else None) for _, read in HEADERS)
    assert not [word for word in ("fake", "nothing", "Lineage") if word in world.output.getvalue()]
