"""X-Ray: logs name their trace, and the steps of a sampled one reach the daemon by UDP, without a word of the work."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from handler import subsegments, tracing
from handler.app import lambda_handler
from handler.tracing import TracingHeader
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
    """A real socket in the daemon's place."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.datagrams: list[bytes] = []

    def read(self) -> list[dict[str, Any]]:
        """What came: on the loopback it is here once it was sent."""
        self.socket.setblocking(False)
        while True:
            try:
                self.datagrams.append(self.socket.recv(65_536))
            except BlockingIOError:
                break
        parts = [datagram.split(b"\n", 1) for datagram in self.datagrams]
        assert all(json.loads(head) == {"format": "json", "version": 1} for head, _ in parts)
        return [json.loads(document) for _, document in parts]


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """The daemon of an invocation whose trace is sampled."""
    made = Daemon()
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", made.address)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    yield made
    made.socket.close()


@pytest.mark.parametrize(("header", "read"), HEADERS)
def test_a_header_names_its_trace_or_is_ignored(header: object, read: TracingHeader | None) -> None:
    """Fields come in any order with unknown ones between; without a well-formed root there is no trace."""
    assert tracing.parse(header) == read


def test_each_step_of_a_job_is_a_subsegment(world: World, daemon: Daemon) -> None:
    """A sampled invocation tells the daemon each step once, below Lambda's own segment, in their order."""
    world.send_jobs(world.job())
    world.batch(world.runtime())
    told = daemon.read()
    assert [one["name"] for one in told] == ["claim", "read", "score", "commit", "respond", "mark"]
    assert {(one["type"], one["trace_id"], one["parent_id"]) for one in told} == {("subsegment", ROOT, PARENT)}
    assert len({one["id"] for one in told}) == len(told)
    assert all(len(bytes.fromhex(one["id"])) == 8 for one in told)
    assert all(0 <= one["end_time"] - one["start_time"] < 60 for one in told)
    assert all(one["start_time"] == world.time for one in told)
    assert not any("fault" in one for one in told)


def test_each_job_of_a_batch_names_its_own_steps(world: World, daemon: Daemon) -> None:
    """Ten jobs claim, score and commit by their ids; what they share is told once, with how many shared it."""
    world.send_jobs(*(world.job(number) for number in range(10)))
    world.batch(world.runtime())
    told = daemon.read()
    jobs = [f"job-{number}" for number in range(10)]
    for step in ("claim", "score", "commit"):
        assert sorted(one["annotations"]["scoring_job_id"] for one in told if one["name"] == step) == jobs
    assert [one["annotations"] for one in told if one["name"] in ("read", "respond", "mark")] == [{"jobs": 10}] * 3


def test_a_failed_step_says_so_and_not_why(world: World, daemon: Daemon) -> None:
    """Nothing that an error, an item, a message or the environment says leaves by the daemon, only the class."""

    def fail(item: Any, context: Any) -> Any:
        raise ScoringFailed(f"cannot read {item.text} with {SECRET}")

    world.send_jobs(world.job(text=TEXT))
    world.batch(world.runtime(score=scoring(fail)))
    failed = [one for one in daemon.read() if one.get("fault")]
    assert [(one["name"], one["annotations"]["error"]) for one in failed] == [("score", "ScoringFailed")]
    sent = b"".join(daemon.datagrams).decode()
    assert not [word for word in (TEXT, "4111", SECRET, "cannot read", "refund", "handle-") if word in sent]


def test_a_good_job_leaks_nothing_either(world: World, daemon: Daemon) -> None:
    """Of a job that was scored, text, value and explanation stay out of its trace."""
    world.send_jobs(world.job(text=TEXT))
    world.batch(world.runtime())
    told = daemon.read()
    known = {"type", "id", "trace_id", "parent_id", "name", "start_time", "end_time", "annotations"}
    assert {key for one in told for key in one} == known
    assert {key for one in told for key in one["annotations"]} == {"scoring_job_id", "jobs"}


@pytest.mark.parametrize(
    "header", [f"Root={ROOT};Parent={PARENT};Sampled=0", f"Root={ROOT};Sampled=1", "nonsense", None]
)
def test_nothing_is_sent_unless_the_trace_is_sampled(
    world: World, daemon: Daemon, monkeypatch: pytest.MonkeyPatch, header: str | None
) -> None:
    """Not sampled, without a parent, broken or absent: the job is done, and the daemon hears nothing."""
    if header is None:
        monkeypatch.delenv("_X_AMZN_TRACE_ID")
    else:
        monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    world.send_jobs(world.job())
    assert world.batch(world.runtime()) == []
    assert daemon.read() == []
    assert world.status("job-1") == "COMPLETED"


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "host:2000", ":2000", "1:٣"])
def test_an_address_that_is_none_is_no_daemon(address: str) -> None:
    """Only an IPv4 address with a port is a daemon: no name is looked up."""
    assert subsegments.daemon({"AWS_XRAY_DAEMON_ADDRESS": address}) is None


def test_a_daemon_that_is_gone_costs_nothing(world: World, daemon: Daemon) -> None:
    """Where nobody listens any more, every job is done all the same."""
    daemon.socket.close()
    world.send_jobs(world.job(1), world.job(2))
    assert world.batch(world.runtime()) == []
    assert {world.status("job-1"), world.status("job-2")} == {"COMPLETED"}


def test_every_line_names_the_trace_of_its_own_invocation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line, the metrics' too, has the invocation's trace, and nothing of the invocation's before."""
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


def test_an_invocation_that_fails_as_a_whole_names_its_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where not even the settings can be read, the one line of the log has the trace."""
    monkeypatch.setattr("handler.app._runtime", None)
    monkeypatch.setattr("os.environ", {"_X_AMZN_TRACE_ID": SAMPLED})
    lambda_handler({}, Context())
    assert json.loads(capsys.readouterr().out)["trace_id"] == ROOT


@pytest.mark.parametrize("polled", [True, False])
def test_a_jobs_lines_name_its_senders_trace(world: World, polled: bool) -> None:
    """A message that was sent within a trace leads back to it, from a batch as from the manual poll."""
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


def test_a_broken_header_of_a_message_stops_nothing(world: World) -> None:
    """Whatever a sender wrote into the attribute, its job is done, and the log does not repeat it."""
    world.send_jobs(*(world.job(number) for number, _ in enumerate(HEADERS)))
    runtime, messages = world.runtime(), world.sqs.receive(world.requests, len(HEADERS))
    batch = event(world.requests, messages)
    for record, (header, _) in zip(batch["Records"], HEADERS, strict=True):
        record["attributes"]["AWSTraceHeader"] = header
    assert runtime.handle(batch, Context()) == {"batchItemFailures": []}
    named = [line.get("sender_trace_id") for line in world.lines() if line.get("message") == "committed"]
    assert sorted(map(str, named)) == sorted(str(read.trace_id if read else None) for _, read in HEADERS)
    assert not [word for word in ("fake", "nothing", "Lineage") if word in world.output.getvalue()]
