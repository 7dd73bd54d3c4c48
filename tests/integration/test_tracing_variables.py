"""Item texts stay in the process, whatever tracing variables its environment has."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Variables = Callable[[str], dict[str, str]]
CARD = """
name: Reviews
key: reviews
scores:
  - name: Refund
    key: refund
    class: LangGraphScore
    graph:
      - name: refund
        class: LogicalClassifier
        expression: "'Yes' if 'refund' in text else 'No'"
        valid_classes: ["Yes", "No"]
    output: {value: refund.classification}
    tests:
      - {text: "Jane Roe wants a refund.", value: "Yes"}
"""
# LangChain sends in the background: each program waits until it has sent what it wants to send.
WORKER = """
import os, sys
from pathlib import Path
from handler import app
from tests.memory.world import Context, World
card, folder = Path(sys.argv[1]).read_text(), Path(sys.argv[2])
world = World(folder)
world.dynamodb.put("ScoreVersion", id="version-1", scoreId="score-1", configuration=card)
world.send_jobs(world.job(text="Jane Roe wants a refund."))
app.Clients.create = lambda session: world.clients()
names = {"SCORING_WORKER_REQUEST_STANDARD": world.requests, "RESPONSE_WORKER": world.responses}
os.environ |= {f"PLEXUS_{name}_QUEUE_URL": queue.url for name, queue in names.items()}
os.environ |= {"PLEXUS_ACCOUNT_KEY": "acme", "SCORECARD_CACHE_DIR": str(folder)}
try:
    print(app.lambda_handler({}, Context())["statusCode"], world.status("job-1"))
finally:
    from langchain_core.tracers.langchain import wait_for_all_tracers
    wait_for_all_tracers()
"""
COMMAND = """
import sys
from plexus.commands import main
try:
    main(["run", sys.argv[1], "--offline", "Jane Roe wants a refund."])
finally:
    from langchain_core.tracers.langchain import wait_for_all_tracers
    wait_for_all_tracers()
"""
LIBRARY = """
import sys
import plexus
card = plexus.load(open(sys.argv[1]).read(), name="card")
try:
    print(plexus.score(card, "Refund", plexus.Item("Jane Roe wants a refund.")).value)
finally:
    from langchain_core.tracers.langchain import wait_for_all_tracers
    wait_for_all_tracers()
"""


class Collector(ThreadingHTTPServer):
    """A server on the loopback interface that keeps every request."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Collecting)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Collecting(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        """Keep the body, and accept it."""
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.send_response(202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_PATCH = do_PUT = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A running collector."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def langsmith(url: str) -> dict[str, str]:
    """Return what LangSmith's own documentation sets."""
    return {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": url, "LANGSMITH_API_KEY": "key"}


def everything(url: str) -> dict[str, str]:
    """Return every variable by which LangChain, LangSmith or OpenTelemetry trace, or have traced, a run."""
    switches = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")
    otel = ("LANGSMITH_OTEL_ENABLED", "LANGSMITH_OTEL_ONLY", "OTEL_PYTHON_TRACER_PROVIDER")
    addresses = ("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT", "LANGSMITH_GATEWAY")
    exporters = [f"OTEL_EXPORTER_OTLP_{kind}ENDPOINT" for kind in ("", "TRACES_", "LOGS_")]
    return {
        **dict.fromkeys((*switches, *otel), "true"),
        **dict.fromkeys((*addresses, *exporters), url),
        **dict.fromkeys(("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "LANGSMITH_GATEWAY_API_KEY"), "key"),
        "LANGCHAIN_HANDLER": "langchain",
        "LANGCHAIN_PROJECT": "project",
        "LANGSMITH_RUNS_ENDPOINTS": json.dumps({url: "key"}),
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_SERVICE_NAME": "worker",
    }


def run(program: str, folder: Path, variables: dict[str, str]) -> str:
    """Run a program on the card with these variables; returns its output."""
    (folder / "card.yaml").write_text(CARD)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    arguments = [sys.executable, "-c", program, str(folder / "card.yaml"), str(folder)]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("variables", [langsmith, everything])
def test_the_worker_sends_no_text(collector: Collector, tmp_path: Path, variables: Variables) -> None:
    """With tracing variables the worker completes its job, and the collector that they name gets nothing."""
    assert "200 COMPLETED" in run(WORKER, tmp_path, variables(collector.url))
    assert collector.bodies == []


@pytest.mark.parametrize("variables", [langsmith, everything])
def test_a_command_sends_no_text(collector: Collector, tmp_path: Path, variables: Variables) -> None:
    """With tracing variables `plexus run --offline` prints its result, and the collector gets nothing."""
    assert "Yes" in run(COMMAND, tmp_path, variables(collector.url))
    assert collector.bodies == []


def test_the_library_sends_no_text(collector: Collector, tmp_path: Path) -> None:
    """The library leaves the variables of its caller's process alone, and sends nothing all the same."""
    assert "Yes" in run(LIBRARY, tmp_path, langsmith(collector.url))
    assert collector.bodies == []


def test_a_stage_may_allow_tracing(collector: Collector, tmp_path: Path) -> None:
    """With PLEXUS_EXTERNAL_TRACING=true the variables take effect, and the collector gets the run."""
    allowed = {**langsmith(collector.url), "PLEXUS_EXTERNAL_TRACING": "true"}
    assert "200 COMPLETED" in run(WORKER, tmp_path, allowed)
    assert collector.bodies != []
